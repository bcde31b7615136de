import { dirname } from 'node:path';
import type { Owner } from '../../domain/compose/types.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PendingKey } from '../../domain/identity/decide-pending.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { unitBytes } from '../../domain/node/networks.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import { type PlannedIdentity, type PlannedJob, planJobs } from '../../domain/post-init/plan-jobs.ts';
import { DEFAULT_MAX_FILE_SIZE } from '../../domain/project/defaults.ts';
import type { GpuVendor, Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { nodeOwner } from '../owners.ts';
import { askUnits, type Share, sizeNotes } from './ask-size.ts';
import { chooseCards } from './choose-cards.ts';
import { type Commitment, chooseCommitment } from './commitment.ts';
import { drawKeys } from './draw-keys.ts';
import { notesOf, type Place, probeWriting } from './look-at-places.ts';
import type { NewKey } from './make-key.ts';
import type { PostInitOptions } from './options.ts';

const MOST_FILES = 65_536;

/** A key that an identity to be has, and whether it stands already. */
export interface KeyToBe {
  readonly name: string;
  readonly id: SmesherId;
  /** Absent: it waits in the node's folder already. */
  readonly made?: NewKey;
  /** Where it stands, if not where keys wait: beside its data. */
  readonly path?: string;
}

export interface IdentityToBe extends PlannedIdentity {
  readonly place: Place;
  /** Of data that is gone on with: what is there. */
  readonly presentBytes?: number;
}

/** Everything that a run of `post init` puts into the project. */
export interface NewData {
  readonly gpu: GpuVendor;
  readonly jobs: readonly PlannedJob[];
  readonly keys: readonly KeyToBe[];
  readonly identities: readonly IdentityToBe[];
  readonly directories: readonly FileStep[];
  readonly commitment?: Commitment;
  readonly split: boolean;
}

/**
 * Decides, with a person's help or by flags, what new identities are made where and on what. Keys are drawn in memory; a
 * test file is all that touches a disk, and not in a dry run.
 */
export async function planNew(
  context: Context,
  project: Project,
  shares: readonly Share[],
  pending: readonly PendingKey[],
  options: PostInitOptions,
): Promise<NewData> {
  for (const { place } of shares) {
    for (const note of notesOf(place)) context.out.warn(note);
    // Before anything else is asked: who cannot write there need not answer.
    if (!options.dryRun) await probeWriting(context, place);
  }
  const units = await askUnits(context, project.network, shares, options);
  for (const note of sizeNotes([...units.values()])) context.out.note(note);
  const largest = Math.max(...units.values());
  const maxFileSize = fileSize(options.maxFileSize, largest * unitBytes(project.network.post));
  const count = shares.reduce((sum, { identities }) => sum + identities, 0);
  const choice = await chooseCards(context, project, options, { identities: count, units: largest });
  const commitment = await chooseCommitment(context, project, options.commitment);
  const keys = await drawKeys(
    context,
    project,
    shares.map(({ place }) => place.path),
    pending,
    count,
  );
  const identities: IdentityToBe[] = [];
  for (const { place, identities: here } of shares) {
    for (let number = 0; number < here; number += 1) {
      const key = keys[identities.length];
      if (key === undefined) throw new Error('a key too few');
      const own = place.use.kind === 'directory' && here === 1;
      const data = own ? place.path : `${place.path}/${key.name}`;
      if (!own) await refuseOccupied(context, data);
      const base = choice.split && own ? dirname(place.path) : place.path;
      const user = await userOf(context, project, place, base, options.user);
      const { id, name } = key;
      identities.push({
        ...{
          id,
          name,
          data,
          units: units.get(place) ?? 0,
          commitmentAtx: commitment.atx,
          maxFileSize,
          place,
        },
        ...(user.written === undefined ? {} : { user: user.written }),
      });
      if (!options.dryRun && base !== place.path)
        await probeWriting(context, place, await there(context, base));
    }
  }
  const jobs = planJobs(identities, choice.cards, choice.split, project.network);
  // postcli would go on with whatever lies beside the whole under the name of a part.
  for (const { job } of jobs) if (job.into !== undefined) await refuseOccupied(context, job.data);
  const directories = await makeDirectories(context, project, jobs, identities, options.user);
  return { gpu: choice.gpu, split: choice.split, jobs, keys, identities, directories, commitment };
}

/** @param bytes of the largest identity */
function fileSize(given: number | undefined, bytes: number): number {
  if (given === undefined) return DEFAULT_MAX_FILE_SIZE;
  const files = Math.ceil(bytes / given);
  // A file system has no names for more in one directory, and every look at the data reads them all.
  if (files > MOST_FILES)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--max-file-size ${given} would be ${plural(files, 'file')} for one identity; ${plural(MOST_FILES, 'file')} are the most`,
      { hint: 'Nothing was changed. Without it a file has 4 GiB.' },
    );
  if (given % 16 === 0 && given >= 1024) return given;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--max-file-size ${given}: a multiple of 16 from 1024 on, because a label takes 16 bytes. Nothing was changed.`,
  );
}

async function refuseOccupied({ ports: { files } }: Context, data: string): Promise<void> {
  const facts = await files.facts(data);
  if (facts === undefined) return;
  if (facts.kind === 'directory' && (await files.list(data)).length === 0) return;
  throw new SmeshError('directory-not-empty', ExitCode.invalid, `${data} is there already and not empty`, {
    hint: `Nothing was changed. Go on with what is in it: smesh-compose post init --resume ${quoteForShell(data)}   Or name another directory.`,
  });
}

async function there({ ports: { files } }: Context, folder: string): Promise<string> {
  let place = folder;
  while (!(await files.exists(place))) place = dirname(place);
  return place;
}

/**
 * Whom new directories belong to, which is who fills and proves them: as told, else of an existing directory its owner, else
 * the caller, and for root whoever owns what is around it: no root where another owner does (design §5).
 */
async function userOf(
  context: Context,
  project: Project,
  place: Place,
  base: string,
  given: string | undefined,
): Promise<{ readonly owner: Owner; readonly written?: string }> {
  const { system, files } = context.ports;
  const [uid, gid] = (given ?? '').split(':').map(Number);
  if (given !== undefined && uid !== undefined && gid !== undefined) {
    if (system.user.uid !== 0 && system.user.uid !== uid)
      throw new SmeshError(
        'foreign-owner',
        ExitCode.environment,
        `--user ${given}: you are user ${system.user.uid} and cannot make directories for another`,
        { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
      );
    return { owner: { uid, gid }, written: given };
  }
  const owner = await chosenOwner(context, project, place);
  const parent = await files.facts(await there(context, base));
  const same = parent?.uid === owner.uid && parent.gid === owner.gid;
  return same ? { owner } : { owner, written: `${owner.uid}:${owner.gid}` };
}

async function chosenOwner(context: Context, project: Project, place: Place): Promise<Owner> {
  const { system } = context.ports;
  if (place.exists && place.use.kind === 'directory') return place.owner;
  if (system.user.uid !== 0) return system.user;
  if (place.owner.uid !== 0) return place.owner;
  return system.sudoUser ?? (await nodeOwner(context, project));
}

/** Every directory that a job fills: Docker would not make it, and root would own it if it did. */
async function makeDirectories(
  context: Context,
  project: Project,
  jobs: readonly PlannedJob[],
  identities: NewData['identities'],
  given: string | undefined,
): Promise<readonly FileStep[]> {
  const steps: FileStep[] = [];
  for (const { job } of jobs) {
    if (await context.ports.files.exists(job.data)) continue;
    const identity = identities.find(({ id }) => id === job.id);
    if (identity === undefined) throw new Error('a job of nobody');
    const { owner } = await userOf(context, project, identity.place, dirname(job.data), given);
    steps.push({ kind: 'make-directory', path: job.data, mode: 0o700, ...owner });
  }
  return steps;
}
