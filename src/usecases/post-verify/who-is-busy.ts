import { isUp } from '../../domain/compose/container-role.ts';
import { HELPER_ROLE, LABEL } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { servedFolders } from '../../domain/compose/who-serves.ts';
import { isWithin } from '../../domain/disk/mounts.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import type { Project } from '../../domain/project/types.ts';
import { lossHeadline } from '../../ui/stop-price.ts';
import type { Context } from '../context.ts';
import { lookAtProvers, unsafeOf } from '../lifecycle/look-at-provers.ts';
import { lossOf } from '../lifecycle/refuse.ts';
import { askServices } from '../observe/ask-services.ts';
import { lookAtAllData } from '../observe/data.ts';
import { realFolders } from './real-folders.ts';

const ASK_MS = 3000;

/** Where the data are in a container that checks them. */
export const DATA_INSIDE = '/post';

/** Why a disk may not be read now. */
export interface BusyDisk {
  readonly disk: string;
  /** `post-0002 (8dd53ad1) is proving: 41 % read, 5 h 10 m of work` */
  readonly who: string;
  /** It says itself that it works; else nobody can say that it does not. */
  readonly sure: boolean;
}

/**
 * Who proves, or may prove, on the disks of these places, and who writes to the very data: provers of this project, those of
 * others on this engine, initialisation jobs. A second reader takes more than half of a disk's speed from a proof.
 * Rejects with the engine's error where it cannot be asked.
 *
 * @param options.alone other checks and jobs are not looked for: the checks that go on are one's own
 */
export async function whoIsBusy(
  context: Context,
  project: Project | undefined,
  places: readonly VerifyPlace[],
  options: { readonly alone: boolean } = { alone: false },
): Promise<readonly BusyDisk[]> {
  const docker = await context.ports.docker();
  await docker.engine();
  const running = (await docker.containers()).filter(isUp);
  const isOwn = (one: ObservedContainer) => project !== undefined && one.project === project.name;
  const [own, others] = await Promise.all([
    project === undefined ? [] : provingHere(context, project, running.filter(isOwn), places),
    provingElsewhere(
      context,
      running.filter((one) => !isOwn(one)),
      places,
    ),
  ]);
  const checks = options.alone ? [] : await atWork(context, running, places);
  return [...own, ...others, ...checks];
}

async function provingHere(
  context: Context,
  project: Project,
  own: readonly ObservedContainer[],
  places: readonly VerifyPlace[],
): Promise<readonly BusyDisk[]> {
  const disks = new Set(places.map(({ disk }) => disk));
  const [looks, data] = await Promise.all([
    lookAtProvers(
      context,
      project,
      own.filter(({ oneOff }) => !oneOff),
    ),
    lookAtAllData({ ports: context.ports, project, clock: context.clock, timeoutMs: ASK_MS }),
  ]);
  const diskOf = new Map(project.identities.map(({ name }, index) => [name, data[index]?.disk]));
  return unsafeOf(looks, diskOf.keys()).flatMap((look) => {
    const disk = diskOf.get(look.service);
    return disk === undefined || !disks.has(disk)
      ? []
      : [{ disk, who: lossHeadline(lossOf(look)), sure: look.risk.loses === 'work' }];
  });
}

/** Of other projects nobody knows what their node wants; what their services say must do. */
async function provingElsewhere(
  { ports }: Context,
  containers: readonly ObservedContainer[],
  places: readonly VerifyPlace[],
): Promise<readonly BusyDisk[]> {
  const provers = containers.filter((one) => servedFolders(one).post.length > 0);
  if (provers.length === 0) return [];
  const scanner = await ports.scanner();
  const names = scanner.diskNames(provers.flatMap((one) => servedFolders(one).post));
  const near = provers.flatMap((container) => {
    const theirs = new Set(servedFolders(container).post.map((folder) => names.get(folder)));
    const disks = places.filter((place) => [...theirs].some((name) => isOn(place, name)));
    return [...new Set(disks.map(({ disk }) => disk))].map((disk) => ({ container, disk }));
  });
  const statuses = await askServices(
    ports,
    near.map(({ container }) => container),
    ASK_MS,
  );
  return near.flatMap(({ container, disk }) => {
    const status = statuses.get(container.id)?.kind;
    if (status === 'idle') return [];
    const sure = status === 'proving' || status === 'done-proving';
    return [{ disk, who: `${container.name}, of another project, ${sure ? 'proves' : 'may prove'}`, sure }];
  });
}

/** Initialisation jobs that write to the very data, and other checks that go on: two readers make both slow. */
async function atWork(
  context: Context,
  containers: readonly ObservedContainer[],
  places: readonly VerifyPlace[],
): Promise<readonly BusyDisk[]> {
  const checks = containers.filter(
    (one) => one.labels[LABEL.role] === HELPER_ROLE && dataOf(one) !== undefined,
  );
  const scanner = await context.ports.scanner();
  const names = scanner.diskNames(checks.flatMap((one) => dataOf(one) ?? []));
  const jobs = await Promise.all(
    containers
      .filter(isJob)
      .map(async (job) => ({ job, folders: await realFolders(context, writableFolders(job)) })),
  );
  return places.flatMap((place) => {
    const { disk, path, directory } = place;
    const realPath = directory?.realPath ?? path;
    const writers = jobs
      .filter(({ folders }) => folders.some((folder) => isWithin(realPath, folder)))
      .map(({ job }) => job);
    const others = checks.filter((one) => isOn(place, names.get(dataOf(one) ?? '')));
    return [
      ...writers.map((one) => ({ disk, who: `${one.service ?? one.name} writes to ${path}`, sure: true })),
      ...others.map((one) => ({ disk, who: `another check reads ${dataOf(one)}`, sure: true })),
    ];
  });
}

/** Whether a place is on a disk, by its own name: smesh.yaml may give it another. */
function isOn({ disk, device }: VerifyPlace, name: string | undefined): boolean {
  return name !== undefined && (name === disk || name === device);
}

/** The directory that a check works on. */
function dataOf({ mounts }: ObservedContainer): string | undefined {
  return mounts.find(({ target }) => target === DATA_INSIDE)?.source;
}

function isJob({ labels, image, command }: ObservedContainer): boolean {
  return (
    labels[LABEL.role] === 'initialisation' || [image, ...command].some((word) => /\bpostcli\b/.test(word))
  );
}

function writableFolders({ mounts }: ObservedContainer): readonly string[] {
  return mounts.flatMap(({ kind, writable, source }) => (kind === 'bind' && writable ? [source] : []));
}
