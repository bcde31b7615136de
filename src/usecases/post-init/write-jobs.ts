import { cancelled } from '../../domain/errors.ts';
import { pendingKeyFile } from '../../domain/identity/pending-key.ts';
import { unitBytes } from '../../domain/node/networks.ts';
import { cpuMilliseconds } from '../../domain/post-init/cpu-time.ts';
import { formatDiagnostic } from '../../domain/project/diagnostics.ts';
import { addJobs } from '../../domain/project/edit-jobs.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { type NewIdentityWords, renderNewData } from '../../ui/post-init.ts';
import { enumerate } from '../../ui/text.ts';
import { applyGenerate, stepsToJson, summarizeSteps } from '../apply-generate.ts';
import { destinationsOf } from '../backup/destinations.ts';
import type { Context } from '../context.ts';
import { showForecast } from '../forecast/show-short.ts';
import { planGenerate } from '../generate.ts';
import { runJournaled } from '../journal.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { identitiesFolder } from '../node-keys.ts';
import { projectOwner } from '../owners.ts';
import { backUpKeys, chooseKeyLock, lockWords, noLock } from './back-up-keys.ts';
import { writePendingKey } from './make-key.ts';
import type { PostInitOptions } from './options.ts';
import type { KeyToBe, NewData } from './plan-new.ts';

export interface WrittenJobs {
  readonly project: Project;
  readonly written: boolean;
  /** Facts for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * Shows what is about to be made, and makes it once that was confirmed, in the order that loses nothing: keys, their
 * backup, then jobs in smesh.yaml, directories and generated files in one journaled act. Killed anywhere it leaves no key, or
 * one that waits: the next run backs it up and uses it. The caller holds the project's lock, but for a dry run.
 */
export async function writeJobs(
  context: Context,
  before: { readonly project: Project; readonly text: string },
  data: NewData,
  options: PostInitOptions,
  resumed: boolean,
): Promise<WrittenJobs> {
  const text = addJobs(
    before.text,
    { gpu: data.gpu },
    data.jobs.map(({ job }) => job),
  );
  const { project, warnings } = requireProject(text, { directory: context.directory });
  for (const warning of warnings) context.out.warn(formatDiagnostic(warning));
  const request = { project, text, keyPlaces: [], repairKeys: false, force: options.force };
  const generate = await planGenerate(context, request);
  const locked = lockWords(context, before.project, options);
  if (locked === undefined && !options.dryRun) throw noLock();
  const backup = `of all keys, ${locked ?? 'but nobody said for whom: --passphrase-file FILE'}, to ${destinationsOf(context, before.project).join(', ')}`;
  const steps = [...data.directories, ...generate.steps];
  if (!context.json) {
    const words = renderNewData({
      identities: identityWords(context, project, data),
      ...(data.commitment === undefined
        ? {}
        : { commitment: `${data.commitment.atx.slice(0, 8)}…, ${data.commitment.words}` }),
      ...{ backup, dryRun: options.dryRun, resumed },
    });
    context.out.note([...words, ...summarizeSteps(context.directory, generate.steps)].join('\n'));
  }
  for (const note of generate.notes) context.out.note(note);
  await forecastWith(context, project, data);
  const facts = {
    identities: data.identities.map(({ name, id, data: folder, units }) => ({
      ...{ name, data: folder, units, bytes: units * unitBytes(project.network.post) },
      ...(options.dryRun && isNew(data, id) ? {} : { id }),
      key: keyPath(project, data, name),
    })),
    jobs: data.jobs.map(({ job, card }) => ({
      name: job.name,
      data: job.data,
      card: card.label,
      fromFile: job.fromFile,
      toFile: job.toFile,
    })),
    gpu: data.gpu,
    ...(data.commitment === undefined
      ? {}
      : { commitment: { atx: data.commitment.atx, source: data.commitment.source } }),
    steps: stepsToJson(steps),
  };
  if (options.dryRun) return { project: before.project, written: false, facts };
  await confirm(context);
  const lock = await chooseKeyLock(context, before.project, options);
  const isNewProject = await writeProjectFile(context, before.text);
  const backups = await secureKeys(context, project, data, generate.owner, () =>
    backUpKeys(
      context,
      // Data that was begun may have its key beside it; directories that are not there yet have nothing to be saved.
      resumed ? project : before.project,
      data.identities.map(({ id }) => id),
      lock,
    ),
  );
  context.out.note(`Backup with all keys: ${backups.join(', ')}`);
  const last = isNewProject ? await planGenerate(context, request) : generate;
  await applyGenerate(context, 'post init', {
    ...{ ...last, notes: [], steps: [...data.directories, ...last.steps] },
  });
  return { project, written: true, facts: { ...facts, backups } };
}

/**
 * A backup without smesh.yaml is one that `backup restore` refuses, so a new project has one before its first key: without
 * an identity and without a job. Answers whether it was written.
 */
async function writeProjectFile(context: Context, text: string): Promise<boolean> {
  const path = `${context.directory}/${PROJECT_FILE}`;
  if (await context.ports.files.exists(path)) return false;
  const owner = await projectOwner(context);
  await runJournaled(context.ports, {
    ...{ directory: context.directory, command: 'post init', at: context.clock.now() },
    steps: [{ kind: 'write-file', path, content: text, what: 'yours to edit', replaces: null, ...owner }],
    ...(owner === undefined ? {} : { owner }),
  });
  return true;
}

async function confirm(context: Context): Promise<void> {
  if (context.yes || !context.out.interactive) return;
  const yes = await context.ports.prompt.confirm({ message: 'Make it?', flag: '--yes', initial: true });
  if (!yes) throw cancelled('smesh-compose post init');
}

/** Keys, then their backup. Whatever comes between: which keys wait now is said. */
async function secureKeys(
  context: Context,
  project: Project,
  { keys }: NewData,
  owner: { readonly uid: number; readonly gid: number },
  backUp: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const put: string[] = [];
  try {
    for (const key of keys) {
      context.signal.throwIfAborted();
      if (await putKey(context, project, key, owner)) put.push(key.name);
    }
    return await backUp();
  } catch (error) {
    if (put.length > 0)
      context.out.warn(
        `${put.length === 1 ? 'The key' : 'The keys'} of ${enumerate(put)} ${put.length === 1 ? 'waits' : 'wait'} without a job, and the node passes over ${put.length === 1 ? 'it' : 'them'}. The next smesh-compose post init takes a backup and uses ${put.length === 1 ? 'it' : 'them'} first.`,
      );
    throw error;
  }
}

async function putKey(
  context: Context,
  project: Project,
  { name, made }: KeyToBe,
  owner: { readonly uid: number; readonly gid: number },
): Promise<boolean> {
  if (made === undefined) return false;
  const path = await writePendingKey(context.ports, made, { folder: identitiesFolder(project), name, owner });
  context.out.note(`Key of ${name}: ${path}`);
  return true;
}

function keyPath(project: Project, { keys }: NewData, name: string): string {
  const standing = keys.find((key) => key.name === name)?.path;
  return standing ?? `${identitiesFolder(project)}/${pendingKeyFile(name)}`;
}

function isNew({ keys }: NewData, id: string): boolean {
  return keys.some((key) => key.id === id && key.made !== undefined);
}

function identityWords(context: Context, project: Project, data: NewData): readonly NewIdentityWords[] {
  const perUnit = unitBytes(project.network.post);
  return data.identities.map((identity) => {
    const { name, units, place } = identity;
    const here = data.identities.filter((other) => other.place.mountPoint === place.mountPoint);
    const taken = here.reduce((sum, other) => sum + other.units * perUnit - (other.presentBytes ?? 0), 0);
    const waiting = data.keys.find((key) => key.name === name);
    const path = keyPath(project, data, name);
    return {
      ...{ name, units, data: identity.data, bytes: units * perUnit, disk: place.disk },
      fileSystem: place.fileSystem,
      freeAfter: Math.max(0, place.freeBytes - place.plannedBytes - taken),
      keyPath: path.startsWith(`${context.directory}/`) ? path.slice(context.directory.length + 1) : path,
      keyIsThere: waiting?.made === undefined,
      ...(data.gpu === 'cpu' ? { takesMs: cpuMilliseconds(units, project.network.post) } : {}),
      jobs: data.jobs
        .filter(({ job }) => job.id === identity.id)
        .map(({ job, card }) => ({
          name: job.name,
          card: card.label,
          ...(job.fromFile === undefined || job.toFile === undefined
            ? {}
            : { range: [job.fromFile, job.toFile] as const }),
        })),
    };
  });
}

/** What the gap will be like with all data that is being made, this run's and earlier ones'. */
async function forecastWith(context: Context, project: Project, data: NewData): Promise<void> {
  const scanner = await context.ports.scanner();
  const jobs = project.initialisation?.jobs ?? [];
  const toBe = [...new Map(jobs.map((job) => [job.id, job])).values()].filter(
    ({ id }) => !project.identities.some((identity) => identity.id === id),
  );
  const disks = scanner.diskNames(toBe.map(({ data: folder }) => folder));
  const planned = new Map(
    toBe.map((job) => {
      const folder = job.into ?? job.data;
      const place = data.identities.find(({ id }) => id === job.id)?.place;
      return [job.id, { units: job.units, disk: place?.disk ?? disks.get(job.data) ?? folder }] as const;
    }),
  );
  const withAll: Project = {
    ...project,
    identities: [
      ...project.identities,
      ...toBe.map((job) => ({
        ...project.defaults,
        ...{ id: job.id, name: job.identity ?? job.name, data: job.into ?? job.data },
      })),
    ],
  };
  await showForecast(
    context,
    withAll,
    data.identities.map(({ name }) => name),
    planned,
  );
}
