import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import type { PostMetadata } from '../../domain/post/types.ts';
import { unitsOfSize } from '../../domain/post-init/size.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { headlessCommand } from '../init/headless.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import { loadProject, loadProjectIfPresent } from '../load-project.ts';
import { identitiesFolder } from '../node-keys.ts';
import { readPendingKeys } from '../pending-keys.ts';
import { askShares } from './ask-count.ts';
import { beginProject } from './begin-project.ts';
import {
  nothingThere,
  oneKind,
  refuseForeignNode,
  refuseOtherSettings,
  refuseOverlaps,
  refuseTwice,
} from './check-places.ts';
import { withoutKey } from './find-key.ts';
import { lookAtAllJobs, lookAtPlace, type Place } from './look-at-places.ts';
import type { PostInitOptions } from './options.ts';
import { type NewData, planNew } from './plan-new.ts';
import { jobsAt, notePassedOver, oddWords, planResume, refuseOtherUnits, servedWhole } from './resume.ts';
import { flagsOf } from './same-flags.ts';
import { writeJobs } from './write-jobs.ts';

/** What is to be run once the project says so. */
export interface Prepared {
  readonly project: Project;
  /** Jobs of this run. */
  readonly names: readonly string[];
  /** For `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The command that does the same, where a person was asked. */
  readonly same?: string;
}

/**
 * `post init` up to the written project: resumes jobs that are there, takes up data that was begun, or makes new
 * identities. The caller holds the project's lock, but for a dry run. Nothing is started.
 */
export async function preparePost(context: Context, options: PostInitOptions): Promise<Prepared> {
  const loaded = await loadProjectIfPresent(context);
  if (loaded !== undefined) refuseOtherSettings(loaded.project, options.settings);
  const jobs = loaded?.project.initialisation?.jobs ?? [];
  if (loaded === undefined && options.resume && options.places.length === 0) await loadProject(context);
  const wantsAll = options.places.length === 0 && (options.resume || (jobs.length > 0 && !wantsNew(options)));
  if (loaded !== undefined && wantsAll) return resumeAll(context, loaded.project, options);
  say(context, loaded?.project);
  const named = await askPlaces(context, options);
  refuseTwice(named);
  const matched = named.map((place) => ({ place, jobs: jobsAt(jobs, place, options.resume) }));
  const theirs = [...new Set(matched.flatMap(({ jobs: found }) => found))];
  const rest = matched.filter(({ jobs: found }) => found.length === 0).map(({ place }) => place);
  if (loaded !== undefined && rest.length === 0) return resumeThose(context, loaded.project, theirs, options);
  if (theirs.length > 0) throw oneKind();

  const begun =
    loaded === undefined
      ? await beginProject(context, options.settings, await metadataIn(context, rest))
      : undefined;
  const before = loaded ?? begun;
  if (before === undefined) throw new Error('no project');
  refuseForeignNode(context, before.project, await context.ports.files.facts(before.project.node.data));
  const looks = await lookAtAllJobs(context, before.project);
  const places: Place[] = [];
  for (const path of rest) places.push(await lookAtPlace(context, before.project, path, looks));
  refuseTwice(places.map(({ realPath }) => realPath));
  await refuseOverlaps(context, before.project, places, looks);
  const data = places.filter(({ use }) => use.kind === 'data');
  const isResumed = data.length > 0;
  if (isResumed && data.length < places.length) throw oneKind();
  if (options.resume && !isResumed) throw nothingThere(rest);
  const pending = await readPendingKeys(context, identitiesFolder(before.project));
  const unserved = await withoutServed(context, before.project, data);
  if (isResumed && unserved.length === 0)
    return { project: before.project, names: [], facts: { resumed: [] } };
  const units = unitsTold(before.project, options);
  const counted = { ...present({ count: options.count, units }) };
  const { shares, making, served } = isResumed
    ? { shares: [], making: [], served: [] }
    : await askShares(context, places, before.project, counted);
  if (!isResumed && shares.length === 0 && making.length === 0) {
    context.out.note('So there is nothing to make. Nothing was changed.');
    return { project: before.project, names: [], facts: { resumed: [], served } };
  }
  if (!isResumed && shares.length === 0) return resumeThose(context, before.project, making, options);
  const plan = isResumed
    ? await planResume(context, before.project, unserved, pending, options)
    : await planNew(context, before.project, shares, pending, options);
  sayWaiting(context, plan);
  const { project, written, facts } = await writeJobs(context, before, plan, options, isResumed);
  const same = headlessCommand(
    context,
    ['post init', ...(isResumed ? ['--resume'] : []), ...named.map(quoteForShell)].join(' '),
    [...(begun?.flags ?? []), ...flagsOf(before.project, plan, { making, served }, options, isResumed)],
  );
  const asked = written && context.out.interactive && !context.json;
  const names = [...making.map(({ name }) => name), ...plan.jobs.map(({ job }) => job.name)];
  return { project, names, facts, ...(asked ? { same } : {}) };
}

function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function unitsTold({ network }: Project, { units, sizeBytes }: PostInitOptions): number | undefined {
  return units ?? (sizeBytes === undefined ? undefined : unitsOfSize(sizeBytes, network.post));
}

/** Without data that is whole and served: there is nothing to be made, and the same command typed again is no fault. */
async function withoutServed(
  context: Context,
  project: Project,
  places: readonly Place[],
): Promise<readonly Place[]> {
  const left: Place[] = [];
  for (const place of places) {
    const name = await servedWhole(context, project, place);
    if (name === undefined) left.push(place);
    else context.out.note(`${place.path} is complete, and in the project as ${name}. Nothing was changed.`);
  }
  return left;
}

/** Whether the flags speak of something that is not there yet. */
function wantsNew({ units, sizeBytes, count }: PostInitOptions): boolean {
  return units !== undefined || sizeBytes !== undefined || count !== undefined;
}

function say({ out, directory }: Context, project: Project | undefined): void {
  const what = project === undefined ? 'a new project' : `${project.network.name} · project`;
  out.note(`smesh-compose post init · ${what} in ${directory}\n`);
}

async function askPlaces(context: Context, { places }: PostInitOptions): Promise<readonly string[]> {
  if (places.length > 0) return places;
  if (!context.out.interactive || context.yes)
    throw new SmeshError(
      'input-required',
      ExitCode.usage,
      'Where shall the data go? Name directories, or mount points of disks',
      {
        hint: 'Nothing was changed. For example: smesh-compose post init /mnt/d5 --units 40',
      },
    );
  const answer = await context.ports.prompt.input({
    message: 'Where shall the data go?',
    explanation:
      'A directory, or the mount point of a disk, on which a folder for each identity is made; several separated by commas.',
    flag: 'smesh-compose post init DIRECTORY…',
    validate: (text) => (text.trim() === '' ? 'a directory, please' : undefined),
  });
  return answer
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map(fromWorkingDirectory);
}

/** What can be read of data in these places; whatever else is there is judged later. */
async function metadataIn(
  { ports: { files } }: Context,
  paths: readonly string[],
): Promise<readonly PostMetadata[]> {
  const texts = await Promise.all(
    paths.map((path) => files.readTextIfPresent(`${path}/${METADATA_FILE}`).catch(() => undefined)),
  );
  return texts.flatMap((text) => {
    const reading = text === undefined ? undefined : readMetadata(text);
    return reading?.kind === 'read' ? [reading.metadata] : [];
  });
}

function sayWaiting(context: Context, { keys, identities }: NewData): void {
  const waiting = keys.filter(
    ({ made, name }) =>
      made === undefined && identities.some((one) => one.name === name && one.presentBytes === undefined),
  );
  if (waiting.length === 0) return;
  context.out.note(
    `${plural(waiting.length, 'key')} of an earlier run ${waiting.length === 1 ? 'waits' : 'wait'} without data, and ${waiting.length === 1 ? 'is' : 'are'} used first: ${enumerate(waiting.map(({ name }) => name))}.`,
  );
}

async function resumeAll(context: Context, project: Project, options: PostInitOptions): Promise<Prepared> {
  const jobs = project.initialisation?.jobs ?? [];
  if (jobs.length > 0) return resumeThose(context, project, jobs, options);
  throw new SmeshError(
    'nothing-to-resume',
    ExitCode.invalid,
    'There is no initialisation job in smesh.yaml',
    {
      hint: 'Nothing was changed. New data: smesh-compose post init DIRECTORY   Data that was begun elsewhere: smesh-compose post init --resume DIRECTORY',
    },
  );
}

async function resumeThose(
  context: Context,
  project: Project,
  jobs: readonly InitialisationJob[],
  options: PostInitOptions,
): Promise<Prepared> {
  for (const job of jobs) refuseOtherUnits(project, job.into ?? job.data, job.units, options);
  notePassedOver(context, project, enumerate(jobs.map(({ name }) => name)), options, jobs);
  const keyless = await withoutKey(context, project, jobs);
  if (keyless.length > 0)
    context.out.warn(
      `No key of ${enumerate(keyless)} is in the node's folder or beside the data: without it the data is of no use, however complete.`,
    );
  const names = jobs.map(({ name }) => name);
  if (options.noStart)
    for (const { job, state } of await lookAtAllJobs(context, project))
      if (state.kind === 'odd-size' && names.includes(job.name))
        context.out.warn(
          `${job.name}: ${oddWords(state.files)}. First: smesh-compose post init --resume --repair`,
        );
  if (!context.json) context.out.note(`Going on with ${enumerate(names)}.`);
  // What was edited in smesh.yaml since then is in the containers that are made now.
  const request = { project, keyPlaces: [], repairKeys: false, force: options.force };
  if (!options.dryRun) await applyGenerate(context, 'post init', await planGenerate(context, request));
  return { project, names, facts: { resumed: names } };
}
