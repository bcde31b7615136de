import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { createHost } from '../../../../src/adapters/host/index.ts';
import { createTemplates } from '../../../../src/adapters/templates/index.ts';
import { initialisationCommand } from '../../../../src/domain/compose/init-jobs.ts';
import type { ObservedContainer } from '../../../../src/domain/compose/observed.ts';
import { goldenAtx, standaloneNetwork } from '../../../../src/domain/node/networks.ts';
import { splitFiles } from '../../../../src/domain/post-init/split.ts';
import { addJobs } from '../../../../src/domain/project/edit-jobs.ts';
import { newProjectText } from '../../../../src/domain/project/new-project.ts';
import type { InitialisationJob } from '../../../../src/domain/project/types.ts';
import type { FilesPort } from '../../../../src/ports/files.ts';
import { applyGenerate } from '../../../../src/usecases/apply-generate.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { planGenerate } from '../../../../src/usecases/generate.ts';
import { loadProject } from '../../../../src/usecases/load-project.ts';
import { start } from '../../../contract/run-stand-in.ts';
import { makeIdentity, makePoetKey, type TestIdentity } from '../../../helpers/keys.ts';
import { makePostDirectory } from '../../../helpers/post-data.ts';
import { contextFor, type Said } from '../../backup/support/farm.ts';

/** The smallest that a project takes; 8 of them are a set. */
export const FILE_BYTES = 1024;
const LABELS_PER_UNIT = 256;
const UNITS = 2;

export interface HalfMade {
  readonly directory: string;
  readonly context: Context;
  readonly said: Said;
  readonly served: TestIdentity;
  readonly made: TestIdentity;
  readonly jobs: readonly InitialisationJob[];
  readonly into: string;
  readonly identities: string;
  readonly backups: string;
  /** Secret half of the age key that automatic backups are encrypted for. */
  readonly ageKey: string;
}

export interface Surroundings {
  readonly files?: FilesPort;
  readonly containers?: readonly ObservedContainer[];
  readonly json?: boolean;
}

/** A command's surroundings: real but for the engine, which has the containers that are named. */
export function surroundings(
  directory: string,
  { files, containers = [], json = false }: Surroundings = {},
): { readonly context: Context; readonly said: Said } {
  const { context, said } = contextFor(directory, { ...(files === undefined ? {} : { files }), json });
  const ports = {
    ...context.ports,
    // Processes of other suites are none of this farm's.
    files: withoutProcesses(context.ports.files),
    templates: async () => createTemplates(),
    host: async () => createHost({}),
    docker: async () => ({
      endpoint: 'unix:///var/run/docker.sock',
      engine: async () => ({ desktop: false }),
      containers: async () => containers,
    }),
  };
  return { context: { ...context, ports } as unknown as Context, said };
}

function withoutProcesses(files: FilesPort): FilesPort {
  return { ...files, list: (path) => (path === '/proc' ? Promise.resolve([]) : files.list(path)) };
}

/**
 * A generated project with one identity that serves and one whose data is to be made in parts; its key waits. Automatic
 * backups are encrypted, so that they have the keys in them.
 */
export async function makeHalfMade(root: string, parts = 2): Promise<HalfMade> {
  const directory = join(root, 'farm');
  const [served, made] = [makeIdentity(), makeIdentity()];
  const settings = {
    genesisTime: '2026-11-16T00:00:00Z',
    poetPrivateKey: makePoetKey(),
    post: { labelsPerUnit: LABELS_PER_UNIT },
  };
  makePostDirectory(join(root, 'disk1/post'), { identity: served, network: 'standalone' });
  const into = join(root, 'disk2/post-0002');
  const identities = join(directory, 'node-data/identities');
  for (const folder of [identities, join(root, 'disk2')]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(identities, 'post-0002.key.pending'), made.keyFile, { mode: 0o600 });
  const jobs = splitFiles((UNITS * LABELS_PER_UNIT * 16) / FILE_BYTES, parts).map(
    ([fromFile, toFile], index): InitialisationJob => ({
      id: made.smesherId as InitialisationJob['id'],
      name: parts === 1 ? 'post-0002-init' : `post-0002-init-${index + 1}`,
      identity: 'post-0002',
      data: parts === 1 ? into : `${into}.part-${index + 1}`,
      units: UNITS,
      commitmentAtx: goldenAtx(standaloneNetwork(settings)),
      maxFileSize: FILE_BYTES,
      provider: index,
      ...(parts === 1 ? {} : { into, fromFile, toFile }),
    }),
  );
  for (const { data } of jobs) mkdirSync(data, { mode: 0o700 });
  const ageKey = await generateIdentity();
  const text = newProjectText({
    name: 'farm',
    network: settings,
    coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
    identities: [{ id: served.smesherId as never, name: 'post-0001', data: join(root, 'disk1/post') }],
  });
  const backup = `\nbackup: {to: [${join(root, 'backups')}], recipients: [${await identityToRecipient(ageKey)}]}\n`;
  writeFileSync(join(directory, 'smesh.yaml'), addJobs(`${text}${backup}`, { gpu: 'nvidia' }, jobs));
  const { context, said } = surroundings(directory);
  const { project } = await loadProject(context);
  const plan = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false });
  await applyGenerate(context, 'generate', plan);
  const backups = join(root, 'backups');
  return { directory, context, said, served, made, jobs, into, identities, backups, ageKey };
}

/** Lets the stand-in of postcli carry out a job, as its container would. */
export async function carryOutJob(
  bundle: string,
  { context }: Pick<HalfMade, 'context'>,
  job: InitialisationJob,
  folder = job.data,
): Promise<void> {
  const { project } = await loadProject(context);
  if (project.initialisation === undefined) throw new Error('no jobs');
  const words = initialisationCommand(job, project.initialisation, project.network);
  const place = words.indexOf('-datadir') + 1;
  const args = words.map((word, index) => (index === place ? folder : word));
  const ran = await start(bundle, args, { SIM_GPUS: 'A,B,C' }).ended;
  if (ran.exit !== 0 || !/initialization completed/.test(ran.stdout + ran.stderr))
    throw new Error(`postcli: ${ran.stdout}${ran.stderr}`);
}

/** Every PoST file of a folder, by name. */
export function postFiles(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.startsWith('postdata_'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'hex')]));
}
