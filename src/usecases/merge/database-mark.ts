import type { MergeFacts } from '../../domain/merge/facts.ts';
import type { Context } from '../context.ts';

/** Databases that a node works on between the copy and the swap would lose what it wrote. */
export async function databaseMarks(
  context: Context,
  facts: MergeFacts,
): Promise<ReadonlyMap<string, string>> {
  const folders = [...facts.sources.map(({ folder }) => folder), facts.project.node.data];
  const marks = await Promise.all(
    folders.map(async (folder) => [folder, await databaseMark(context, folder)] as const),
  );
  return new Map(marks);
}

export async function databaseMark({ ports }: Context, folder: string): Promise<string> {
  const parts = await Promise.all(
    ['', '-wal'].map(async (suffix) => {
      const facts = await ports.files.facts(`${folder}/local.sql${suffix}`);
      return facts === undefined || (suffix !== '' && facts.size === 0)
        ? 'none'
        : `${facts.inode}:${facts.size}:${facts.modifiedMs}`;
    }),
  );
  return parts.join(' ');
}
