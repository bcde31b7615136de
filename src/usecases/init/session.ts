import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import type { Context } from '../context.ts';
import type { InitOptions } from './options.ts';

const DEFAULT_DEPTH = 6;

/** Looks for PoST data where the options say, or everywhere that is mounted. */
export async function scanFor(
  context: Context,
  options: InitOptions,
  roots: readonly string[],
  keyPlaces: readonly string[],
  alsoMounted = false,
): Promise<ScanReport> {
  const scanner = await context.ports.scanner();
  return scanner.scan({
    roots,
    currentDirectory: context.directory,
    maxDepth: options.depth ?? DEFAULT_DEPTH,
    keyPlaces: [...options.keys, ...keyPlaces],
    ignore: options.ignore,
    alsoMounted,
  });
}

/** smesh.yaml's `identities` by ID, with where their data is. */
export function servedDirectories(
  identities: readonly { readonly id: SmesherId; readonly data: string }[],
): ReadonlyMap<SmesherId, string> {
  return new Map(identities.map(({ id, data }) => [id, data]));
}
