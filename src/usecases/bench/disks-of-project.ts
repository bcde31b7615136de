import { dataFileIndex } from '../../domain/post/completeness.ts';
import type { Identity, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';

const LOOK_MS = 3000;

/** One place of PoST data. */
export interface DataPlace {
  readonly path: string;
  /** Absent: no identity of this project. */
  readonly identity?: Identity;
}

/** What is read one after the other, and by which ways it can be reached. */
export interface BenchDisk {
  readonly disk: string;
  readonly places: readonly DataPlace[];
  /** Data files in the order of directories and numbers. */
  readonly files: readonly string[];
  readonly fileSystem?: string;
}

export interface FoundDisks {
  readonly disks: readonly BenchDisk[];
  /** Places that cannot be measured, and why. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}

/** The disks below the data of a project, of some of its identities, or of any directories. */
export async function findDisks(context: Context, places: readonly DataPlace[]): Promise<FoundDisks> {
  const { ports, clock } = context;
  const [host, scanner] = await Promise.all([ports.host(), ports.scanner()]);
  const left: { path: string; reason: string }[] = [];
  const looks = await Promise.all(
    places.map(async (place) => {
      // What hangs there must not be touched by this process: its threads could not be ended any more.
      if (!(await host.answers(place.path, LOOK_MS))) {
        left.push({ path: place.path, reason: 'does not answer' });
        return undefined;
      }
      const look = await within(clock, lookAt(context, place.path), LOOK_MS);
      if (look === undefined || look.files.length === 0) {
        left.push({
          path: place.path,
          reason: look === undefined ? 'is not there, or may not be read' : 'holds no postdata_N.bin',
        });
        return undefined;
      }
      return { place, ...look };
    }),
  );
  const seen = looks.filter((look) => look !== undefined);
  const names = scanner.diskNames(seen.map(({ realPath }) => realPath));
  const disks = new Map<string, BenchDisk>();
  for (const { place, realPath, files } of seen) {
    const disk = place.identity?.disk ?? names.get(realPath) ?? place.path;
    const known = disks.get(disk);
    const fileSystem = known?.fileSystem ?? (await host.place(realPath))?.fileSystem;
    disks.set(disk, {
      disk,
      places: [...(known?.places ?? []), place],
      files: [...(known?.files ?? []), ...files],
      ...(fileSystem === undefined ? {} : { fileSystem }),
    });
  }
  return { disks: [...disks.values()], left };
}

async function lookAt(
  { ports: { files } }: Context,
  path: string,
): Promise<{ readonly realPath: string; readonly files: readonly string[] }> {
  const realPath = await files.realPath(path);
  const numbered = (await files.list(realPath)).flatMap(({ name }) => {
    const index = dataFileIndex(name);
    return index === undefined ? [] : [{ name, index }];
  });
  numbered.sort((one, other) => one.index - other.index);
  return { realPath, files: numbered.map(({ name }) => `${realPath}/${name}`) };
}

export function placesOf(
  project: Project,
  identities: readonly Identity[] = project.identities,
): DataPlace[] {
  return identities.map((identity) => ({ path: identity.data, identity }));
}
