import { OPERATOR_PORT } from '../compose/hardening.ts';
import { hostPath, isOnHost } from '../compose/who-serves.ts';
import { proverNetworkFlags } from '../node/config.ts';
import type { Network, ProverSettings } from '../project/types.ts';
import type { FoundProgram, NotExpressible } from './found.ts';
import { shownValue } from './found.ts';
import { imageFor } from './image.ts';
import { leftEnvironment, leftMounts, leftoversOf } from './leftovers.ts';
import { memoryText, numericUser } from './values.ts';
import { type FlagSpec, parseFlags } from './words.ts';

/** post-service's flags (spacemesh.md §3.1). */
const FLAGS: FlagSpec = {
  known: new Set([
    ...['dir', 'address', 'reconnect-interval-s', 'max-retries', 'watch-pid', 'operator-address', 'threads'],
    ...[
      'pinned-cores',
      'nonces',
      'randomx-mode',
      'min-num-units',
      'max-num-units',
      'k1',
      'k2',
      'pow-difficulty',
    ],
    ...['n', 'r', 'p', 'ca-cert', 'cert', 'key', 'domain', 'remote-k2pow', 'remote-k2pow-parallelism'],
    'remote-k2pow-backoff',
  ]),
  short: { d: 'dir', a: 'address', n: 'n', r: 'r', p: 'p' },
};

/** Flags without a place in smesh.yaml, and what becomes of them. */
const LEFT: Readonly<Record<string, string>> = {
  'reconnect-interval-s': 'becomes 5 s, the default',
  'max-retries': 'left out: a prover keeps trying',
  'watch-pid': 'left out: it means nothing across containers',
  'ca-cert': 'left out: provers reach the node inside the project, without TLS',
  cert: 'left out: provers reach the node inside the project, without TLS',
  key: 'left out: provers reach the node inside the project, without TLS',
  domain: 'left out: provers reach the node inside the project, without TLS',
};

const NETWORK_FLAGS = [
  'min-num-units',
  'max-num-units',
  'k1',
  'k2',
  'pow-difficulty',
  'n',
  'r',
  'p',
] as const;

export interface FoundProver {
  readonly program: FoundProgram;
  /** `--dir` as it is written. */
  readonly dir: string | undefined;
  /** Where that may be on the host, likeliest first. */
  readonly directories: readonly string[];
  /** Of the node that it connects to. */
  readonly address: string | undefined;
  readonly flags: ReadonlyMap<string, string>;
}

/** Reads a post-service's command line; what needs the disk is left to the caller. */
export function readProver(program: FoundProgram): FoundProver {
  const { values } = parseFlags(program.words, FLAGS);
  const dir = values.get('dir');
  return {
    program,
    dir,
    directories: directoriesOf(program, dir),
    address: values.get('address'),
    flags: values,
  };
}

function directoriesOf(program: FoundProgram, dir: string | undefined): readonly string[] {
  if (dir === undefined) return [];
  const inContainer = program.image !== undefined;
  if (!inContainer) {
    if (dir.startsWith('/')) return [dir];
    return (program.folders ?? []).map((folder) => `${folder}/${dir}`);
  }
  const found = hostPath(program.mounts.filter(isOnHost), dir.replace(/(?<=.)\/+$/, ''));
  return found === undefined ? [] : [found];
}

/** A prover's settings for smesh.yaml, and what of its definition they cannot say. */
export function proverSettings(
  { program, dir, flags }: FoundProver,
  network: Network,
  isOwnNode: (host: string) => boolean,
): {
  readonly settings: Partial<ProverSettings> & { readonly user?: string };
  readonly left: readonly NotExpressible[];
} {
  const left: NotExpressible[] = [];
  const say = (key: string, value: string, meaning: string) =>
    left.push({ service: program.name, key, value: shownValue('', value), meaning });
  const { image, left: leftOfImage } = imageFor(program, 'prover');
  left.push(...leftOfImage);
  const settings: { -readonly [K in keyof ProverSettings]?: ProverSettings[K] } & { user?: string } = {
    image,
  };

  const nonces = Number(flags.get('nonces') ?? 128);
  if (Number.isInteger(nonces) && nonces >= 16 && nonces <= 4096 && nonces % 16 === 0)
    settings.nonces = nonces;
  else say('--nonces', flags.get('nonces') ?? '', 'is no multiple of 16 up to 4096: becomes 128');
  readThreads(flags, settings, say);
  const mode = (flags.get('randomx-mode') ?? 'fast').toLowerCase();
  if (mode === 'fast' || mode === 'light') settings.randomx = mode;
  else say('--randomx-mode', mode, 'is neither fast nor light: becomes the default');
  readRemote(flags, settings, say);
  readLog(program, settings, say);
  if (program.memoryBytes !== undefined) settings.memory = memoryText(program.memoryBytes);
  const user = numericUser(program.user);
  if (user !== undefined) settings.user = user;
  else if (program.user !== undefined)
    say('user', program.user, "becomes the owner of the data's files: a user is a number here, uid:gid");

  for (const [name, meaning] of Object.entries(LEFT)) {
    const value = flags.get(name);
    if (value !== undefined) say(`--${name}`, value, meaning);
  }
  const operator = flags.get('operator-address');
  if (operator !== undefined && !operator.endsWith(`:${OPERATOR_PORT}`))
    say(
      '--operator-address',
      operator,
      `becomes 0.0.0.0:${OPERATOR_PORT}, inside the project's network only`,
    );
  left.push(...networkLeftovers(program, flags, network));
  const address = flags.get('address');
  const host = /^https?:\/\/(\[[^\]]*\]|[^:/]*)/.exec(address ?? '')?.[1];
  if (host !== undefined && !isOwnNode(host))
    say(
      '--address',
      address ?? '',
      'leads to a node that was not found here; in the project it connects to its own node',
    );
  for (const { flag, value } of parseFlags(program.words, FLAGS).unknown)
    say(flag, value, 'no flag of post-service 0.8: left out');
  const taken = new Set(
    program.mounts.filter(({ target }) => isAbove(target, dir ?? '')).map(({ target }) => target),
  );
  left.push(
    ...leftMounts(program, taken),
    ...program.ports.map(({ hostPort, containerPort }) => ({
      service: program.name,
      key: 'port',
      value: `${hostPort}:${containerPort}`,
      meaning: 'left out: the state of a prover is asked inside the project',
    })),
    ...leftEnvironment(program, new Set(['RUST_LOG'])),
    ...leftoversOf(program),
  );
  return { settings, left };
}

type Say = (key: string, value: string, meaning: string) => void;
type Settings = { -readonly [K in keyof ProverSettings]?: ProverSettings[K] };

function readThreads(flags: ReadonlyMap<string, string>, settings: Settings, say: Say): void {
  const pinned = flags.get('pinned-cores');
  const threads = flags.get('threads');
  if (pinned !== undefined) {
    const cores = pinned.split(',').map(Number);
    if (cores.every((core) => Number.isInteger(core) && core >= 0) && new Set(cores).size === cores.length) {
      settings.pinnedCores = cores;
      if (threads !== undefined)
        say('--threads', threads, 'left out: the pinned cores say how many there are');
      return;
    }
    say('--pinned-cores', pinned, 'is no list of cores: left out');
  }
  if (threads === undefined || /^\d{1,4}$/.test(threads)) settings.threads = Number(threads ?? 0);
  else say('--threads', threads, 'is no number: becomes 0, all cores');
}

function readRemote(flags: ReadonlyMap<string, string>, settings: Settings, say: Say): void {
  const url = flags.get('remote-k2pow');
  if (url === undefined) return;
  if (!/^https?:\/\/[^\s/?#]+/.test(url)) return void say('--remote-k2pow', url, 'is no address: left out');
  const parallelism = Number(flags.get('remote-k2pow-parallelism') ?? Number.NaN);
  const backoff = Number.parseInt(flags.get('remote-k2pow-backoff') ?? '', 10);
  settings.remoteK2pow = {
    url,
    ...(Number.isInteger(parallelism) && parallelism > 0 ? { parallelism } : {}),
    ...(Number.isInteger(backoff) && backoff > 0 ? { backoffSeconds: backoff } : {}),
  };
}

function readLog({ environment }: FoundProgram, settings: Settings, say: Say): void {
  const log = environment['RUST_LOG'];
  if (log === undefined) return;
  const levels = log
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  const isEnough = levels.some((one) => ['info', 'debug', 'trace'].includes(one));
  const hides = levels.some((one) => /^(post.*=)?(off|error|warn)$/.test(one)) || log.includes('/');
  if (isEnough && !hides) settings.log = log;
  else say('environment RUST_LOG', log, 'hides the phases of a proof: becomes info,post::prove=debug');
}

/** They must be the network's; where they are not, its proofs are invalid (spacemesh.md §9.1). */
function networkLeftovers(
  program: FoundProgram,
  flags: ReadonlyMap<string, string>,
  network: Network,
): readonly NotExpressible[] {
  const { minUnits, maxUnits, k1, k2, powDifficulty, scrypt } = network.post;
  const own = [minUnits, maxUnits, k1, k2, powDifficulty, scrypt.n, scrypt.r, scrypt.p].map(String);
  return NETWORK_FLAGS.flatMap((name, index) => {
    const value = flags.get(name);
    const wanted = own[index] ?? '';
    if (value === undefined || value.toLowerCase() === wanted) return [];
    const spelled = proverNetworkFlags(network).length === 0 ? 'left out' : `becomes ${wanted}`;
    return [
      {
        service: program.name,
        key: name.length === 1 ? `-${name}` : `--${name}`,
        value,
        meaning: `is not what ${network.name} has (${wanted.slice(0, 16)}): ${spelled}`,
      },
    ];
  });
}

function isAbove(target: string, path: string): boolean {
  return path === target || path.startsWith(target.endsWith('/') ? target : `${target}/`);
}
