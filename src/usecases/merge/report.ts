import { shortId } from '../../domain/identity/smesher-id.ts';
import { mergeToJson } from '../../ui/merge.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { BackupMade } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import type { MergePlan } from './plan.ts';

/** What was done, what to look at next, and when the former folders may go. */
export function reportMerged(context: Context, plan: MergePlan, backup: BackupMade): void {
  if (context.json) {
    context.out.json({ schemaVersion: 1, dryRun: false, ...mergeToJson(plan), backups: backup.paths });
    return;
  }
  const { arrivals, facts } = plan;
  const named = arrivals.map(({ name, smesherId }) =>
    name === undefined ? shortId(smesherId) : `${name} (${shortId(smesherId)})`,
  );
  const without = arrivals.filter(({ data }) => data === undefined);
  const folders = facts.sources.map(({ folder }) => folder);
  context.out.result(
    `Merged ${plural(arrivals.length, 'identity', 'identities')}: ${enumerate(named)}. ${folders.length === 1 ? 'The node' : 'The nodes'} of ${enumerate(folders)} cannot start any more.`,
  );
  const note = (text: string) => context.out.note(text);
  note('');
  note('Next:');
  note('  smesh-compose up            starts the node with them, and their post-services');
  note('  smesh-compose status        each of them shall be there, with what the node wants of it');
  note('  smesh-compose verify        the whole chain, up to the next rewards');
  note('  smesh-compose forecast      will all of it fit into the next gap?');
  if (without.length > 0)
    note(
      `  smesh-compose add DIR       where the data of ${enumerate(without.map(({ smesherId }) => shortId(smesherId)))} is`,
    );
  note('');
  note('Until the node has run, all of it can be taken back: smesh-compose merge --undo');
  if (facts.database.kind === 'absent')
    note(
      `This project's node has no chain state of its own yet and syncs first; state.sql of ${folders[0] ?? 'the other node'} may be copied into ${facts.project.node.data} before that.`,
    );
  note(
    `Keep ${enumerate(folders)} until verify has seen an ATX of each of them from here. The PoST data stays where it is, and is needed for ever.`,
  );
}
