import { initialisationCommand } from '../../domain/compose/init-jobs.ts';
import { isWithin } from '../../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PendingKey } from '../../domain/identity/decide-pending.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import { goldenAtx, unitBytes } from '../../domain/node/networks.ts';
import { unsuitability } from '../../domain/post/suits.ts';
import type { PostMetadata } from '../../domain/post/types.ts';
import type { OddFile } from '../../domain/post-init/job-state.ts';
import { judgeJob } from '../../domain/post-init/judge-job.ts';
import { planJobs } from '../../domain/post-init/plan-jobs.ts';
import { unitsOfSize } from '../../domain/post-init/size.ts';
import { freshNames, namesFor } from '../../domain/project/name.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import { chooseCards } from './choose-cards.ts';
import { type FoundKey, findKey } from './find-key.ts';
import { lookAtFolder } from './look-at-folder.ts';
import { notesOf, type Place, probeWriting } from './look-at-places.ts';
import type { PostInitOptions } from './options.ts';
import type { IdentityToBe, KeyToBe, NewData } from './plan-new.ts';

/** The jobs that a place means: by its own directory, by where its parts are joined, with `--resume` also by name or disk. */
export function jobsAt(
  jobs: readonly InitialisationJob[],
  place: string,
  resume: boolean,
): readonly InitialisationJob[] {
  const exact = jobs.filter(({ data, into }) => data === place || into === place);
  if (exact.length > 0 || !resume) return exact;
  const named = jobs.filter(({ name, identity }) =>
    [name, identity].some((word) => word !== undefined && fromWorkingDirectory(word) === place),
  );
  return named.length > 0 ? named : jobs.filter(({ data }) => isWithin(data, place));
}

/** What was made with certain flags is gone on with in the same ones; fewer units would delete data (spacemesh.md §14.4). */
export function refuseOtherUnits(
  project: Project,
  what: string,
  units: number,
  options: Pick<PostInitOptions, 'units' | 'sizeBytes'>,
): void {
  const { post } = project.network;
  const wanted =
    options.units ?? (options.sizeBytes === undefined ? undefined : unitsOfSize(options.sizeBytes, post));
  if (wanted === undefined || wanted === units) return;
  throw new SmeshError(
    wanted < units ? 'fewer-units' : 'more-units',
    ExitCode.refused,
    wanted < units
      ? `${what} has ${plural(units, 'unit')}; told to make ${wanted}, postcli would delete what is beyond them`
      : `${what} has ${plural(units, 'unit')}; to ${wanted} it cannot grow`,
    {
      hint: 'Nothing was changed. Leave --units and --size out: data is gone on with as it was begun. More space takes another identity.',
    },
  );
}

/** Flags that say something else than the data is made with: its own settings count. */
export function notePassedOver(
  { out }: Context,
  { network }: Project,
  what: string,
  options: PostInitOptions,
  made: readonly Pick<InitialisationJob, 'id' | 'commitmentAtx' | 'maxFileSize' | 'into'>[],
): void {
  const { commitment, maxFileSize, count, split } = options;
  const atx = commitment === 'golden' ? goldenAtx(network) : commitment?.toLowerCase();
  const passed = [
    ['--commitment', atx !== undefined && made.some(({ commitmentAtx }) => commitmentAtx !== atx)],
    ['--max-file-size', maxFileSize !== undefined && made.some((one) => one.maxFileSize !== maxFileSize)],
    ['--count', count !== undefined && new Set(made.map(({ id }) => id)).size !== count],
    ['--split', split && made.every(({ into }) => into === undefined)],
  ].flatMap(([flag, differs]) => (differs === true ? [String(flag)] : []));
  if (passed.length > 0) out.warn(`${what}: gone on with as begun. Passed over: ${passed.join(', ')}.`);
}

/**
 * Takes data up whose initialisation was begun elsewhere: one job each, with the flags that its metadata tells (scenarios
 * S3, S4). Refuses what a proof can be made from already, what postcli would spoil, and data without its key.
 */
export async function planResume(
  context: Context,
  project: Project,
  places: readonly Place[],
  pending: readonly PendingKey[],
  options: PostInitOptions,
): Promise<NewData> {
  const found: { place: Place; metadata: PostMetadata; presentBytes: number; key: FoundKey }[] = [];
  for (const place of places) {
    if (place.use.kind !== 'data') throw new Error('no data to go on with');
    const { metadata } = place.use;
    if (found.some(({ metadata: { smesherId } }) => smesherId === metadata.smesherId))
      throw twice(metadata.smesherId, place.path);
    const presentBytes = await checkData(context, project, place, metadata, options);
    const key = await findKey(context, project, place.path, metadata.smesherId, pending, options.keys);
    for (const note of notesOf(place)) context.out.warn(note);
    if (!options.dryRun) await probeWriting(context, place);
    found.push({ place, metadata, presentBytes, key });
  }
  const units = Math.max(...found.map(({ metadata }) => metadata.units));
  const choice = await chooseCards(
    context,
    project,
    { ...options, split: false },
    { identities: Math.max(2, found.length), units },
  );
  const names = chooseNames(project, pending, found);
  const identities = found.map(({ place, metadata, presentBytes }): IdentityToBe => {
    const { smesherId: id, units: size, commitmentAtx, maxFileSize } = metadata;
    const name = names.get(id) ?? '';
    return {
      ...{ id, name, data: place.path, units: size, commitmentAtx, maxFileSize, place, presentBytes },
    };
  });
  return {
    ...{ gpu: choice.gpu, split: false, identities, directories: [] },
    jobs: planJobs(identities, choice.cards, false, project.network),
    keys: found.map(({ metadata: { smesherId: id }, key }): KeyToBe => {
      const name = names.get(id) ?? '';
      const { copy, path } = key;
      return {
        name,
        id,
        ...(copy === undefined ? {} : { made: copy }),
        ...(path === undefined ? {} : { path }),
      };
    }),
  };
}

/** Data in a project under its former name, else under that of its waiting key, else under the next free one. */
function chooseNames(
  project: Project,
  pending: readonly PendingKey[],
  found: readonly { readonly metadata: PostMetadata }[],
): ReadonlyMap<SmesherId, string> {
  const names = new Map<SmesherId, string>();
  const fresh: SmesherId[] = [];
  for (const { metadata } of found) {
    const id = metadata.smesherId;
    const former =
      project.retired.find((one) => one.id === id)?.name ??
      pending.find(({ smesherId }) => smesherId === id)?.name;
    if (former === undefined) fresh.push(id);
    else names.set(id, former);
  }
  const next = freshNames(
    project,
    pending.map(({ name }) => name),
    fresh.length,
  );
  for (const [index, id] of fresh.entries())
    names.set(id, next[index] ?? namesFor(project, [id]).get(id) ?? '');
  return names;
}

/** Name of the identity that is served from this place, where its data is whole. */
export async function servedWhole(
  { ports }: Context,
  project: Project,
  { path, use }: Place,
): Promise<string | undefined> {
  if (use.kind !== 'data') return undefined;
  const { smesherId: id, units, maxFileSize, commitmentAtx } = use.metadata;
  const served = project.identities.find((identity) => identity.id === id && identity.data === path);
  if (served === undefined) return undefined;
  const job = { id, name: served.name, data: path, units, maxFileSize, commitmentAtx };
  const state = judgeJob(job, project.network, { data: await lookAtFolder(ports.files, path) });
  return state.kind === 'complete' ? served.name : undefined;
}

/** Answers how many bytes are there. */
async function checkData(
  context: Context,
  project: Project,
  place: Place,
  metadata: PostMetadata,
  options: PostInitOptions,
): Promise<number> {
  const { path } = place;
  const { smesherId, units, maxFileSize, commitmentAtx } = metadata;
  const served = project.identities.find(({ id }) => id === smesherId);
  if (served !== undefined) throw isServed(project, served.name, path, metadata);
  const elsewhere = project.initialisation?.jobs.find(({ id }) => id === smesherId);
  if (elsewhere !== undefined) throw twice(smesherId, path, `${elsewhere.name} in ${elsewhere.data}`);
  refuseOtherUnits(project, path, units, options);
  notePassedOver(context, project, path, options, [{ ...metadata, id: smesherId }]);
  const misfit = unsuitability(metadata, project.network);
  if (misfit !== undefined)
    throw new SmeshError('other-network', ExitCode.invalid, `${path}: ${misfit}`, {
      hint: 'Nothing was changed. Use a project of that network: -C DIR',
    });
  const job = { id: smesherId, name: 'resumed', data: path, units, maxFileSize, commitmentAtx };
  const state = judgeJob(job, project.network, { data: await lookAtFolder(context.ports.files, path) });
  if (state.kind === 'complete')
    throw new SmeshError(
      'data-complete',
      ExitCode.invalid,
      `${path} is complete: there is nothing to go on with`,
      {
        hint: `Take it into the project: smesh-compose add ${quoteForShell(path)}`,
      },
    );
  if (state.kind === 'refused')
    throw new SmeshError(state.code, ExitCode.refused, state.message, {
      hint: `Nothing was changed. ${state.hint}`,
    });
  if (state.kind === 'odd-size' && options.noStart)
    throw new SmeshError('odd-size', ExitCode.refused, oddWords(state.files), {
      hint: `Nothing was changed. Without --no-start the piece is cut off first: smesh-compose post init --resume ${quoteForShell(path)} --repair`,
    });
  if (state.kind === 'away')
    throw new SmeshError('place-silent', ExitCode.invalid, state.why, { hint: state.next });
  if (state.progress.expectedBytes - state.progress.bytes > place.freeBytes - place.plannedBytes)
    context.out.warn(
      `${path}: there is less free than the rest of it takes; it will stop when the disk is full, and lose nothing.`,
    );
  return Math.min(state.progress.bytes, units * unitBytes(project.network.post));
}

/** What plain Compose, which looks at no file, would make of that (spacemesh.md §14.4). */
export function oddWords(files: readonly OddFile[]): string {
  const names = enumerate(files.map(({ path }) => path));
  return `${names} ends in the middle of a label: started as it is, by docker compose too, postcli would write all that follows to the wrong place`;
}

/** A gap in served data is mended by a job once it is out of the project; of the only identity by postcli itself. */
function isServed(project: Project, name: string, path: string, metadata: PostMetadata): SmeshError {
  const { smesherId: id, units, commitmentAtx, maxFileSize } = metadata;
  const job = { id, name, data: path, units, commitmentAtx, maxFileSize, provider: 0 };
  const flags = initialisationCommand(
    job,
    { gpu: 'nvidia', image: '', devices: [], jobs: [] },
    project.network,
  );
  const alone = project.identities.length === 1;
  const place = quoteForShell(path);
  return new SmeshError(
    'identity-served',
    ExitCode.refused,
    `${path} is data of ${name} (${shortId(id)}), which the node serves: it must not be written while it may be proved`,
    {
      details: alone
        ? [
            'It is the only identity, and a node needs one. So postcli itself writes what is missing, with the flags of the data:',
            `smesh-compose stop ${name}`,
            `postcli ${flags.map((word, at) => (flags[at - 1] === '-datadir' ? place : word)).join(' ')}`,
            `smesh-compose up ${name}`,
          ]
        : [],
      hint: alone
        ? 'Nothing was changed.'
        : `Nothing was changed. Take it out first, then go on with it: smesh-compose remove ${name}   smesh-compose post init --resume ${place}`,
    },
  );
}

function twice(id: SmesherId, path: string, other?: string): SmeshError {
  return new SmeshError(
    'duplicate-identity',
    ExitCode.refused,
    `Smesher ${shortId(id)} would be made twice: in ${path} and ${other === undefined ? 'in another of these' : `by ${other}`}. Served from two, it is banned for ever`,
    { hint: 'Nothing was changed. Go on with one of the two alone.' },
  );
}
