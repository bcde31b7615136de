import { type ClockSample, judgeClock } from '../../domain/doctor/clock.ts';
import { judgeEngine } from '../../domain/doctor/engine.ts';
import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import { judgeHost } from '../../domain/doctor/host.ts';
import { judgeConfiguredPoets, judgePoets, readConfiguredPoets } from '../../domain/doctor/poet.ts';
import {
  type ClockKeeper,
  type PeerComplaints,
  readChronyc,
  readPeerComplaints,
  readTimedatectl,
} from '../../domain/doctor/time-daemon.ts';
import { SmeshError } from '../../domain/errors.ts';
import { hasPoetInNode } from '../../domain/node/networks.ts';
import { addressFromHost } from '../../domain/poet/own-poet.ts';
import type { TimeServer } from '../../ports/clock-sources.ts';
import type { LogLine } from '../../ports/docker.ts';
import type { ProgramAnswer } from '../../ports/host.ts';
import type { PoetAnswer } from '../../ports/poet-api.ts';
import type { Context } from '../context.ts';
import { inTime, type Patience, type ProjectLook, type SharedLooks } from './look.ts';

export async function checkHost(context: Context): Promise<readonly DoctorFinding[]> {
  const host = await context.ports.host();
  return judgeHost(await host.facts(), context.ports.system.cpus);
}

export async function checkEngine(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  const engine = await looks.engine();
  if (engine.kind === 'unusable') return [unusable('engine-unusable', engine.error)];
  const { facts, docker } = engine;
  const isHere = docker.endpoint.startsWith('unix:') && !facts.desktop;
  const freeBytes =
    isHere && facts.dataRoot !== ''
      ? await context.ports.files.freeBytes(facts.dataRoot).catch(() => undefined)
      : undefined;
  return judgeEngine({
    ...facts,
    endpoint: docker.endpoint,
    ...(freeBytes === undefined ? {} : { freeBytes }),
  });
}

export async function checkCompose(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  try {
    const compose = await context.ports.compose();
    const version = await compose.version();
    const engine = await looks.engine();
    // Two endpoints: containers would be made on the one and looked for on the other.
    const other =
      engine.kind === 'usable' ? await compose.engineId().catch(() => engine.facts.id) : undefined;
    if (engine.kind === 'usable' && other !== engine.facts.id) {
      return [
        finding('engine-unusable', {
          subject: 'docker compose',
          message: 'docker compose talks to another engine than this tool',
          evidence: `${engine.docker.endpoint}: ${engine.facts.id}; docker compose: ${other}`,
          remedy: 'Name one engine for both: export DOCKER_HOST=unix:///var/run/docker.sock',
        }),
      ];
    }
    return [
      finding('compose-ok', {
        message: 'Docker Compose answers and is new enough',
        evidence: `Docker Compose ${version.text}`,
        measured: { version: version.text },
      }),
    ];
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    return [unusable('compose-unusable', error)];
  }
}

function unusable(code: 'engine-unusable' | 'compose-unusable', error: SmeshError): DoctorFinding {
  return finding(code, {
    message: error.message.replace(/\.?( Nothing was changed)?\.$/, ''),
    evidence: [error.code, ...error.details].join('; '),
    measured: { reason: error.code },
    remedy: error.hint ?? 'Install Docker Engine and Compose: https://docs.docker.com/engine/install/',
  });
}

const KEEPER_MS = 3000;

/** How far back the node's log is read, and how much of it at most. */
const LOG_MS = 6 * 3_600_000;
const LOG_LINES = 20_000;

export async function checkClock(
  context: Context,
  looks: SharedLooks,
  servers: readonly TimeServer[],
  patience: Patience,
): Promise<readonly DoctorFinding[]> {
  const [sources, host] = await Promise.all([context.ports.clockSources(), context.ports.host()]);
  const [answers, poets, systemd, chrony, node] = await Promise.all([
    Promise.all(servers.map((server) => sources.ask(server, patience.serverMs))),
    looks.poets(),
    host.timedatectl(KEEPER_MS),
    host.chronyc(KEEPER_MS),
    readNodeClock(context, looks, patience),
  ]);
  const samples: ClockSample[] = [];
  const unknown: { source: string; reason: string }[] = [];
  servers.forEach((server, index) => {
    const answer = answers[index];
    const source = server.port === 123 ? server.host : `${server.host}:${server.port}`;
    if (answer?.kind === 'answered')
      samples.push({ source, offsetMs: answer.offsetMs, uncertaintyMs: answer.delayMs / 2 });
    else unknown.push({ source, reason: answer?.reason ?? 'not asked' });
  });
  const addresses = addressesOf(looks.project);
  poets.forEach((answer, index) => {
    if (answer.kind === 'answered' && answer.clock !== undefined)
      samples.push({ source: addresses[index] ?? 'PoET', ...answer.clock });
  });
  const keepers = [keeper(systemd, readTimedatectl), keeper(chrony, readChronyc)].filter(
    (found) => found !== undefined,
  );
  for (const { program, offsetMs } of keepers)
    if (offsetMs !== undefined) samples.push({ source: program, offsetMs, uncertaintyMs: 0 });
  return judgeClock({
    now: context.clock.now(),
    samples,
    unknown,
    keepers,
    nodeRuns: node.runs,
    ...(node.complaints === undefined ? {} : { complaints: node.complaints }),
  });
}

function addressesOf(look: ProjectLook): readonly string[] {
  return look.kind === 'read' ? look.project.poet.servers.map(({ address }) => address) : [];
}

function keeper(
  answer: ProgramAnswer,
  read: (text: string) => ClockKeeper | undefined,
): ClockKeeper | undefined {
  return answer.kind === 'said' && answer.exitCode === 0 ? read(answer.text) : undefined;
}

/** What the node's own log says of its clock. */
async function readNodeClock(
  context: Context,
  looks: SharedLooks,
  patience: Patience,
): Promise<{ readonly runs: boolean; readonly complaints?: PeerComplaints }> {
  const [engine, containers] = await Promise.all([looks.engine(), looks.containers()]);
  if (engine.kind === 'unusable' || looks.project.kind !== 'read') return { runs: false };
  const { name } = looks.project.project;
  const node = containers?.find((one) => one.project === name && one.service === 'node' && !one.oneOff);
  if (node === undefined) return { runs: false };
  const runs = node.state === 'running';
  const ending = new AbortController();
  const lines: LogLine[] = [];
  const read = async () => {
    const options = { tail: LOG_LINES, since: context.clock.now() - LOG_MS, signal: ending.signal };
    for await (const line of engine.docker.logs(node.id, options)) lines.push(line);
  };
  await inTime(
    context,
    read().catch(() => undefined),
    patience.engineMs,
  );
  ending.abort();
  const complaints = readPeerComplaints(lines);
  return complaints === undefined ? { runs } : { runs, complaints };
}

/** All servers at once, each with its own time; a private network has none that could be asked. */
export async function askPoets(
  context: Context,
  look: ProjectLook,
  patience: Patience,
): Promise<readonly PoetAnswer[]> {
  if (look.kind !== 'read' || hasPoetInNode(look.project.network)) return [];
  const poetApi = await context.ports.poetApi();
  const { ownPoet, poet } = look.project;
  return Promise.all(
    poet.servers.map(({ address }) => poetApi.info(addressFromHost(ownPoet, address), patience.serverMs)),
  );
}

export async function checkPoets(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { network, poet } = looks.project.project;
  const configured = await readNodeConfig(context);
  const differs = judgeConfiguredPoets(readConfiguredPoets(configured), poet.servers);
  if (hasPoetInNode(network)) {
    return [
      ...differs,
      finding('poet-in-process', {
        message: 'The PoET of a private network runs inside the node; there is nothing to ask',
        evidence: poet.servers.map(({ address }) => address).join(', '),
      }),
    ];
  }
  const answers = await looks.poets();
  const asked = poet.servers.flatMap((server, index) => {
    const answer = answers[index];
    return answer === undefined ? [] : [{ server, answer }];
  });
  return [...judgePoets(asked, poet), ...differs];
}

async function readNodeConfig(context: Context): Promise<unknown> {
  const text = await context.ports.files
    .readTextIfPresent(`${context.directory}/node/config.json`)
    .catch(() => undefined);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // That it is damaged is said where generated files are compared.
    return undefined;
  }
}
