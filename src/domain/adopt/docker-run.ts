import type { ObservedMount, ObservedPort } from '../compose/observed.ts';
import { memoryBytes } from '../project/memory-amount.ts';
import { absolutePath } from '../project/paths.ts';
import type { FoundProgram, Rest } from './found.ts';

/** Options of `docker run` that take no value. */
const SWITCHES = new Set([
  ...[
    'd',
    'i',
    't',
    'P',
    'q',
    'detach',
    'interactive',
    'tty',
    'init',
    'privileged',
    'read-only',
    'rm',
    'quiet',
  ],
  ...['publish-all', 'no-healthcheck', 'oom-kill-disable', 'sig-proxy'],
]);

const LONG: Readonly<Record<string, string>> = {
  v: 'volume',
  e: 'env',
  p: 'publish',
  u: 'user',
  m: 'memory',
  w: 'workdir',
  h: 'hostname',
  l: 'label',
  net: 'network',
};

/** Nothing is lost without these: every container here is detached, and has an init and a read-only root. */
const SAID = new Set([
  'd',
  'detach',
  'i',
  't',
  'interactive',
  'tty',
  'rm',
  'init',
  'read-only',
  'name',
  'workdir',
]);

/** The container that a line `docker run …` makes; `undefined` when it is no such line or names no image. */
export function programOfDockerRun(
  words: readonly string[],
  from: { readonly file: string; readonly directory: string },
): FoundProgram | undefined {
  const start = words.findIndex(
    (word, index) =>
      /(^|\/)(docker|podman)$/.test(word) && ['run', 'create'].includes(words[index + 1] ?? ''),
  );
  if (start < 0) return undefined;
  const { options, rest } = readOptions(words.slice(start + 2));
  const [image, ...args] = rest;
  if (image === undefined) return undefined;
  const values = (name: string) => options.filter(([key]) => key === name).map(([, value]) => value);
  const name = values('name').at(-1) ?? image.split('/').at(-1)?.split(':')[0] ?? 'container';
  const user = values('user').at(-1);
  const memory = memoryBytes(values('memory').at(-1) ?? '');
  const entrypoint = values('entrypoint').at(-1);
  return {
    name,
    where: `docker run ${name} in ${from.file}`,
    words: [...(entrypoint === undefined ? [] : [entrypoint]), ...args],
    image,
    environment: Object.fromEntries(
      values('env').map((entry) => {
        const [key = '', ...text] = entry.split('=');
        return [key, text.join('=')];
      }),
    ),
    ...(user === undefined ? {} : { user }),
    ...(Number.isFinite(memory) ? { memoryBytes: memory } : {}),
    mounts: [
      ...values('volume').flatMap((volume) => bindOf(volume.split(':'), from.directory)),
      ...values('mount').flatMap((mount) => longMount(mount, from.directory)),
    ],
    ports: values('publish').flatMap(portOf),
    hostNetwork: values('network').includes('host'),
    names: [...new Set([name, ...values('hostname'), ...values('ip')])],
    rest: options.flatMap(([key, value]) => leftOption(key, value)),
  };
}

const TAKEN = new Set([
  'volume',
  'mount',
  'env',
  'publish',
  'user',
  'memory',
  'entrypoint',
  'hostname',
  ...SAID,
]);

function leftOption(key: string, value: string): readonly Rest[] {
  if (TAKEN.has(key)) return [];
  const called: Readonly<Record<string, string>> = { network: 'networks', ip: 'networks', label: 'labels' };
  return [{ key: called[key] ?? key.replaceAll('-', '_'), value: value === '' ? true : value }];
}

type Option = readonly [name: string, value: string];

function readOptions(words: readonly string[]): {
  readonly options: readonly Option[];
  readonly rest: readonly string[];
} {
  const options: Option[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const [, long, letters, attached] = /^(?:--([a-z][\w-]*)|-([A-Za-z]+))(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (long === undefined && letters === undefined) return { options, rest: words.slice(index) };
    // `-dit` are three switches; the last one of several may take a value.
    const names = long === undefined ? [...(letters ?? '')] : [long];
    const last = names.at(-1) ?? '';
    for (const name of names.slice(0, -1)) options.push([LONG[name] ?? name, '']);
    const name = LONG[last] ?? last;
    if (attached !== undefined || SWITCHES.has(last)) options.push([name, attached ?? '']);
    else {
      index += 1;
      options.push([name, words[index] ?? '']);
    }
  }
  return { options, rest: [] };
}

function bindOf(parts: readonly string[], directory: string): readonly ObservedMount[] {
  const [source = '', target, mode = ''] = parts;
  if (target === undefined) return [];
  const writable = !mode.split(',').includes('ro');
  const clean = target.replace(/(?<=.)\/+$/, '');
  return /^[./]/.test(source)
    ? [{ kind: 'bind', source: absolutePath(directory, source), target: clean, writable }]
    : [{ kind: 'volume', source, target: clean, writable }];
}

function longMount(text: string, directory: string): readonly ObservedMount[] {
  const fields = new Map(
    text.split(',').map((part) => {
      const [key = '', ...value] = part.split('=');
      return [key, value.join('=')] as const;
    }),
  );
  const source = fields.get('source') ?? fields.get('src') ?? '';
  const target = fields.get('target') ?? fields.get('destination') ?? fields.get('dst');
  if (target === undefined) return [];
  const readOnly = fields.has('readonly') || fields.has('ro');
  return bindOf([source, target, readOnly ? 'ro' : ''], directory);
}

function portOf(text: string): readonly ObservedPort[] {
  const [, address, published, target, protocol] =
    /^(?:(.+):)?(\d+):(\d+)(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (published === undefined || target === undefined) return [];
  return [
    {
      containerPort: Number(target),
      protocol: protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp',
      hostAddress: address ?? '0.0.0.0',
      hostPort: Number(published),
    },
  ];
}
