import { dirname } from 'node:path';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { FoundData, MergeSource } from '../../domain/merge/facts.ts';
import { unsuitability } from '../../domain/post/suits.ts';
import type { ScannedDirectory } from '../../domain/post/types.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

export interface DataRequest {
  /** `--data`: further places; where none are named, all that is mounted is looked through. */
  readonly roots: readonly string[];
  readonly ignore: readonly string[];
}

const DEPTH = 6;

/** Where the PoST data of all these identities lies, found as `scan` finds it. */
export async function findData(
  context: Context,
  project: Project,
  sources: readonly MergeSource[],
  request: DataRequest,
): Promise<ReadonlyMap<SmesherId, FoundData>> {
  const wanted = new Set(sources.flatMap(({ keys }) => keys.map(({ smesherId }) => smesherId)));
  const scanner = await context.ports.scanner();
  const named = sources.flatMap(({ config }) => config?.dataDirectory ?? []);
  const places = [...named, ...request.roots, ...sources.map(({ folder }) => dirname(folder))];
  const roots: string[] = [];
  for (const place of new Set(places))
    if (place !== '/' && (await context.ports.files.exists(place).catch(() => false))) roots.push(place);
  const report = await scanner.scan({
    roots,
    currentDirectory: context.directory,
    alsoMounted: request.roots.length === 0,
    maxDepth: DEPTH,
    keyPlaces: sources.map(({ folder }) => `${folder}/identities`),
    ignore: request.ignore,
  });
  context.signal.throwIfAborted();
  const byId = new Map<SmesherId, ScannedDirectory[]>();
  for (const directory of report.directories) {
    const id = directory.metadata?.smesherId;
    if (id === undefined || !wanted.has(id)) continue;
    const before = byId.get(id) ?? [];
    // A bind mount or a link shows the same folder twice.
    if (!before.some(({ realPath }) => realPath === directory.realPath)) byId.set(id, [...before, directory]);
  }
  return new Map([...byId].map(([id, directories]) => [id, judge(directories, project)]));
}

function judge(directories: readonly ScannedDirectory[], project: Project): FoundData {
  const whole = directories.filter(({ verdict }) => verdict !== 'split-part');
  const [first, second] = whole.length === 0 ? directories : whole;
  if (first === undefined) throw new Error('no directory');
  if (second !== undefined && whole.length > 1)
    return { kind: 'twice', paths: directories.map(({ path }) => path) };
  const { metadata, verdict, path, reasons, next } = first;
  const foreign = metadata === undefined ? undefined : unsuitability(metadata, project.network);
  if (foreign !== undefined) return { kind: 'unfit', path, why: foreign, next: 'It stays where it is' };
  // Whose key lies where is known here; it need not lie beside the data.
  if (verdict === 'ready' || verdict === 'key-missing')
    return { kind: 'ready', path, units: metadata?.units ?? 0 };
  return { kind: 'unfit', path, why: [verdict, ...reasons].join(': '), next };
}
