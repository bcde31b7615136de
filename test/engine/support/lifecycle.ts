import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { createNodeApi } from '../../../src/adapters/node-api/index.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import type { CliRun } from '../../helpers/run-cli.ts';
import { docker, type TestProject } from './project.ts';

const run = promisify(execFile);

/** Knobs of the stand-ins, as an operator would set an environment: what `generate` wrote stays as it is. */
export function turnKnobs(
  project: TestProject,
  knobs: Readonly<Record<string, Readonly<Record<string, string>>>>,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const services = Object.entries(knobs).map(([service, environment]) => [service, { environment }]);
  const document = { services: { ...Object.fromEntries(services), ...more } };
  writeFileSync(join(project.folder, 'compose.override.yaml'), stringify(document));
}

/** Without the line breaks that depend on nothing but width. */
export const plain = (text: string) => text.replace(/\s+/g, ' ');

/** Asks again and again until it holds; rejects with what there was instead. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error);
    if (!(answer instanceof Error) && holds(answer as T)) return answer as T;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}. Last: ${show(answer)}`);
    await sleep(200);
  }
}

function show(answer: unknown): string {
  return answer instanceof Error ? answer.message : (JSON.stringify(answer) ?? '').slice(-3000);
}

/** All that a service has printed in this container's life, over its restarts. */
export async function logOf(project: TestProject, service: string): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', await project.containerOf(service)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout + stderr;
}

/** @param times how often that line is in the log by then */
export function untilLogged(project: TestProject, service: string, line: RegExp, times = 1) {
  const all = new RegExp(line, 'g');
  return until(
    `${service} says ${line}${times === 1 ? '' : `, ${times} times`}`,
    () => logOf(project, service),
    (text) => (text.match(all)?.length ?? 0) >= times,
  );
}

/** What the node says now, asked as the program asks. */
export function askNode(project: TestProject): Promise<NodeSnapshot> {
  const { publicApi, privateApi } = project.ports;
  const endpoint = { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` };
  return createNodeApi().snapshot(endpoint, { timeoutMs: 3000, withoutEvents: true });
}

/** `PROVING`, `IDLE` as the node tells them, by name of the service; empty when it does not answer. */
export async function wantedOf(project: TestProject): Promise<Readonly<Record<string, string>>> {
  const { postStates } = await askNode(project);
  if (!postStates.ok) return {};
  const states = new Map(postStates.value.map(({ smesher, state }) => [String(smesher), state]));
  return Object.fromEntries(
    project.identities.map(({ name, smesherId }) => [name, states.get(smesherId) ?? 'unlisted']),
  );
}

/** One that is not synced yet says IDLE of everybody. */
export async function untilSynced(project: TestProject): Promise<void> {
  await until(
    'the node is synced',
    () => askNode(project),
    ({ status }) => status.ok && status.value.synced,
  );
}

export interface LossFacts {
  readonly service: string;
  readonly smesherId: string;
  readonly why: string;
  readonly loses: string;
  readonly workedMs: number | null;
  readonly doneAt: string | null;
  readonly againAt: string | null;
  readonly deadline: { readonly kind: string; readonly at: string; readonly epoch: number } | null;
}

/** The facts of a refusal with `--json`; throws for everything else. */
export function factsOf({ code, stdout, stderr }: CliRun): {
  readonly losses: readonly LossFacts[];
  readonly node: { readonly why: string; readonly until: string; readonly services: string[] } | null;
} {
  const { error } = JSON.parse(stdout);
  if (code !== 5 || error?.exitCode !== 5 || error.facts === undefined) {
    throw new Error(`no refusal: exit ${code}\n${stdout}${stderr}`);
  }
  return error.facts;
}

/** `docker update`: -1 lifts it. Below a twentieth of a CPU it is a hold, above it only slows (spacemesh.md §14.6). */
export async function limitCpu(project: TestProject, service: string, quota: number): Promise<void> {
  await docker('update', '--cpu-quota', String(quota), await project.containerOf(service));
}
