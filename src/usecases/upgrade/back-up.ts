import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { Project } from '../../domain/project/types.ts';
import { formatBytes } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { backupPath } from '../journal.ts';

/** A local.sql of hundreds of identities has tens of MiB. */
const LARGEST = 512 * 1024 * 1024;

/**
 * Keeps a copy of local.sql, which nothing else can give back (spacemesh.md §6.1), before another release gets it. Stops
 * the node first: only then the copy is whole. Nothing ever puts it back by itself: an older local.sql can make an
 * identity publish twice (§9.1).
 */
export async function backUpLocalDatabase(
  context: Context,
  project: Project,
  node: ObservedContainer,
): Promise<void> {
  const { files } = context.ports;
  const docker = await context.ports.docker();
  await docker.stop(node.id);
  const at = new Date(context.clock.now()).toISOString();
  for (const suffix of ['', '-wal', '-shm']) {
    const source = `${project.node.data}/local.sql${suffix}`;
    try {
      const facts = await files.facts(source);
      if (facts === undefined) continue;
      if (facts.size > LARGEST) throw new Error(`it has ${formatBytes(facts.size)}`);
      const target = backupPath(context.directory, at, `local.sql${suffix}`);
      await files.makeDirectory(target.slice(0, target.lastIndexOf('/')), { mode: 0o700 });
      await files.writeNew(target, await files.readBytes(source), { mode: 0o600 });
    } catch (error) {
      context.out.warn(`No copy of ${source} was kept: ${(error as Error).message}`);
      return;
    }
  }
}
