import { isWithin } from '../../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import type { PostMetadata } from '../../domain/post/types.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { type CommandPart, headlessCommand } from '../init/headless.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import { loadProject, loadProjectIfPresent } from '../load-project.ts';
import { identitiesFolder } from '../node-keys.ts';
import { readPendingKeys } from '../pending-keys.ts';
import { beginProject } from './begin-project.ts';
import { withoutKey } from './find-key.ts';
import { lookAtAllJobs, lookAtPlace, type Place } from './look-at-places.ts';
import type { PostInitOptions } from './options.ts';
import { type NewData, planNew } from './plan-new.ts';
import { jobsAt, notePassedOver, planResume, refuseOtherUnits } from './resume.ts';
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
  refuseOverlaps(before.project, places);
  const data = places.filter(({ use }) => use.kind === 'data');
  const isResumed = data.length > 0;
  if (isResumed && data.length < places.length) throw oneKind();
  if (options.resume && !isResumed) throw nothingThere(rest);
  const pending = await readPendingKeys(context, identitiesFolder(before.project));
  const plan = isResumed
    ? await planResume(context, before.project, data, pending, options)
    : await planNew(context, before.project, places, pending, options);
  sayWaiting(context, plan);
  const { project, written, facts } = await writeJobs(context, before, plan, options, isResumed);
  const same = headlessCommand(
    context,
    ['post init', ...(isResumed ? ['--resume'] : []), ...named.map(quoteForShell)].join(' '),
    [...(begun?.flags ?? []), ...flagsOf(before.project, plan, options, isResumed)],
  );
  const asked = written && context.out.interactive && !context.json;
  return { project, names: plan.jobs.map(({ job }) => job.name), facts, ...(asked ? { same } : {}) };
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

function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice === undefined) return;
  throw new SmeshError('place-twice', ExitCode.usage, `${twice} is named twice, perhaps under two names`, {
    hint: 'Nothing was changed. Name it once; several identities on one disk: --count N',
  });
}

function oneKind(): SmeshError {
  return new SmeshError(
    'mixed-places',
    ExitCode.usage,
    'Some of these places hold data that is gone on with, others are for new data',
    { hint: 'Nothing was changed. Name them in two commands.' },
  );
}

function nothingThere(places: readonly string[]): SmeshError {
  return new SmeshError(
    'nothing-to-resume',
    ExitCode.invalid,
    `There is nothing to go on with in ${enumerate(places)}`,
    {
      hint: 'Nothing was changed. See what is there: smesh-compose scan   New data: the same without --resume',
    },
  );
}

/** Found out after the key was made it would leave it without a job. */
function refuseForeignNode(
  { ports: { system } }: Context,
  project: Project,
  facts: { readonly uid: number } | undefined,
): void {
  if (facts === undefined || system.user.uid === 0 || facts.uid === system.user.uid) return;
  throw new SmeshError(
    'foreign-owner',
    ExitCode.environment,
    `The node's data folder ${project.node.data} belongs to user ${facts.uid}; you are user ${system.user.uid} and cannot put a key there`,
    { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
  );
}

/** New data in what is somebody's already, or around it, would sooner or later be mixed with it. */
function refuseOverlaps({ node, identities, initialisation }: Project, places: readonly Place[]): void {
  const owned = [
    { what: "the node's data folder", path: node.data },
    ...identities.map(({ name, data }) => ({ what: `the directory of ${name}`, path: data })),
    ...(initialisation?.jobs ?? []).map(({ name, data }) => ({
      what: `the directory that ${name} fills`,
      path: data,
    })),
  ];
  for (const { path, realPath, use } of places) {
    const owner = owned.find((one) => isWithin(path, one.path) || isWithin(realPath, one.path));
    // Its own data: what can be done about that is said where data is gone on with.
    if (owner === undefined || (use.kind === 'data' && owner.path === path)) continue;
    const same = path === owner.path;
    throw new SmeshError(
      'place-taken',
      ExitCode.invalid,
      same ? `${path} is ${owner.what}` : `${path} lies in ${owner.what}, ${owner.path}`,
      {
        hint: 'Nothing was changed. Name another directory.',
      },
    );
  }
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
  const [first] = jobs;
  if (first !== undefined) notePassedOver(context, enumerate(jobs.map(({ name }) => name)), options);
  const keyless = await withoutKey(context, project, jobs);
  if (keyless.length > 0)
    context.out.warn(
      `No key of ${enumerate(keyless)} is in the node's folder or beside the data: without it the data is of no use, however complete.`,
    );
  const names = jobs.map(({ name }) => name);
  if (!context.json) context.out.note(`Going on with ${enumerate(names)}.`);
  // What was edited in smesh.yaml since then is in the containers that are made now.
  const request = { project, keyPlaces: [], repairKeys: false, force: options.force };
  if (!options.dryRun) await applyGenerate(context, 'post init', await planGenerate(context, request));
  return { project, names, facts: { resumed: names } };
}

/** What was answered, as flags. */
function flagsOf(
  { backup }: Project,
  plan: NewData,
  options: PostInitOptions,
  resumed: boolean,
): readonly CommandPart[] {
  const units = new Set(plan.identities.map((identity) => identity.units));
  const [same] = units;
  const hasKey = options.recipients.length + (backup?.recipients.length ?? 0) > 0;
  const repeated = (flag: string, values: readonly string[]): CommandPart[] =>
    [...new Set(values)].map((value) => [flag, value]);
  return [
    // Without it `--yes` takes as much as fits, which is what differs from place to place.
    ['--units', resumed || units.size !== 1 || same === undefined ? undefined : String(same)],
    ['--count', resumed ? undefined : String(plan.identities.length)],
    ['--gpu', plan.gpu],
    ['--cpu', plan.gpu === 'cpu' ? true : undefined],
    ...repeated(
      '--device',
      plan.jobs.flatMap(({ job }) => job.device ?? []),
    ),
    ...repeated(
      '--provider',
      plan.jobs.flatMap(({ job }) => (job.provider === undefined ? [] : [String(job.provider)])),
    ),
    ['--split', plan.split ? true : undefined],
    [
      '--max-file-size',
      resumed || options.maxFileSize === undefined ? undefined : String(options.maxFileSize),
    ],
    ['--commitment', resumed ? undefined : options.commitment],
    ['--user', options.user],
    ['--passphrase-file', options.passphraseFile ?? (hasKey ? undefined : 'FILE')],
    ...repeated('--recipient', options.recipients),
    ...repeated('--keys', options.keys),
    ['--no-start', options.noStart ? true : undefined],
    ['--detach', options.detach ? true : undefined],
  ];
}
