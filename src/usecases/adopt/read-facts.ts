import type { AdoptedKey, DataLook } from '../../domain/adopt/adopt-project.ts';
import type { FoundProgram } from '../../domain/adopt/found.ts';
import { configPlace, type NodeReading, readNode } from '../../domain/adopt/node.ts';
import { readNodeFlags } from '../../domain/adopt/node-flags.ts';
import type { FoundProver } from '../../domain/adopt/prover.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import { lookAtMetadata } from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import { absolutePath } from '../../domain/project/paths.ts';
import type { Context } from '../context.ts';
import { isDenied } from '../engine-nodes.ts';
import { readInstalledKeys } from '../node-keys.ts';

/** The node's part of the project; rejects (exit 3) with everything that keeps it from being adopted. */
export async function readNodePart(
  context: Context,
  node: FoundProgram,
  coinbase: string | undefined,
): Promise<NodeReading> {
  const { reading, faults } = readNode(node, await configOf(context, node), coinbase);
  if (reading !== undefined) return reading;
  throw notAdoptable(node, faults);
}

async function configOf(context: Context, node: FoundProgram): Promise<string | undefined> {
  const { config } = readNodeFlags(node.words);
  if (config === undefined) return undefined;
  const place = configPlace(node);
  if (place === undefined)
    throw notAdoptable(node, [
      `its configuration ${config} is inside the container and not on the host: it has to be copied out first`,
    ]);
  try {
    return await context.ports.files.readText(place);
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'unknown fault';
    throw notAdoptable(node, [
      isDenied(error)
        ? `its configuration ${place} may not be read by this user (sudo)`
        : `its configuration ${place} cannot be read (${code})`,
    ]);
  }
}

function notAdoptable(node: FoundProgram, faults: readonly string[]): SmeshError {
  const [first = 'it cannot be read', ...others] = faults;
  return new SmeshError('not-adoptable', ExitCode.invalid, `${node.where}: ${first}`, {
    details: others,
    hint: first.includes('smeshes by itself')
      ? 'Nothing was changed. Make a project with init, then bring this node in: smesh-compose merge'
      : 'Nothing was changed.',
  });
}

/** Whose data a post-service proves, by the metadata in its directory. */
export async function lookAtData(
  context: Context,
  prover: FoundProver,
  said: SmesherId | undefined,
): Promise<DataLook> {
  const { dir, directories } = prover;
  if (dir === undefined) return { kind: 'none', why: 'its command line names no --dir' };
  if (directories.length === 0)
    return { kind: 'none', why: `${dir} is no folder of the host: nothing that is mounted leads there` };
  for (const directory of directories) {
    const path = absolutePath('/', directory);
    let text: string | undefined;
    try {
      text = await context.ports.files.readTextIfPresent(`${path}/${METADATA_FILE}`);
    } catch (error) {
      if (!isDenied(error)) throw error;
      return said === undefined
        ? { kind: 'none', why: `${path} may not be read by this user: run it with sudo` }
        : { kind: 'identity', path, smesherId: said };
    }
    if (text === undefined) continue;
    const look = lookAtMetadata(text);
    if (look.kind !== 'readable' || look.smesherId === undefined)
      return { kind: 'none', why: `${path}/${METADATA_FILE} names no smesher` };
    if (said !== undefined && said !== look.smesherId)
      return {
        kind: 'none',
        why: `the scheduler says smesher ${shortId(said)}, and ${path} is the data of ${shortId(look.smesherId)}`,
      };
    return { kind: 'identity', path, smesherId: look.smesherId };
  }
  return {
    kind: 'none',
    why: `there is no ${METADATA_FILE} in ${directories.map((path) => absolutePath('/', path)).join(' or ')} (is the disk mounted?)`,
  };
}

/** The keys that the node has now. */
export async function readKeys(context: Context, data: string): Promise<readonly AdoptedKey[] | 'unknown'> {
  try {
    const keys = await readInstalledKeys(context, `${data}/identities`);
    return keys.map(({ file, smesherId }) => ({ file, ...(smesherId === undefined ? {} : { smesherId }) }));
  } catch (error) {
    if (isDenied(error)) return 'unknown';
    throw error;
  }
}

/** A node with nothing but `local.key` is a supervised one, whose post-services are never asked (spacemesh.md §2.1). */
export function refuseSupervised(node: FoundProgram, keys: readonly AdoptedKey[] | 'unknown'): void {
  if (keys === 'unknown' || keys.length !== 1 || keys[0]?.file !== 'local.key') return;
  throw notAdoptable(node, [
    'it smeshes by itself: its only key is local.key, and no post-service would ever be asked',
  ]);
}

/** One identity in two directories (design §8): there is no flag for it. */
export function refuseTwice(
  looks: readonly { readonly prover: FoundProver; readonly look: DataLook }[],
): void {
  const seen = new Map<SmesherId, { readonly service: string; readonly path: string }>();
  for (const { prover, look } of looks) {
    if (look.kind !== 'identity') continue;
    const first = seen.get(look.smesherId);
    const here = { service: prover.program.name, path: look.path };
    if (first === undefined) {
      seen.set(look.smesherId, here);
      continue;
    }
    throw new SmeshError(
      'identity-twice',
      ExitCode.refused,
      `Smesher ${shortId(look.smesherId)} is proved by two post-services, ${first.service} (${first.path}) and ${here.service} (${here.path}): they keep each other out`,
      { hint: 'Nothing was changed. Keep one of the two, then adopt again.' },
    );
  }
}
