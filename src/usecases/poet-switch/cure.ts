import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { removeSwitchRecord, type SwitchRecord, writeSwitchRecord } from './record.ts';
import { deletionWords } from './recover.ts';
import { applyRecovery, lookForRecovery } from './recovery.ts';
import type { Judged, SwitchOptions, Wanted } from './session.ts';

/**
 * The node took so long to start that the round began meanwhile, and ends again and again (spacemesh.md §14.7). Default is
 * the cure that loses nothing: the addresses that it is registered with come back into the list.
 */
export async function cureNode(
  context: Context,
  {
    judged,
    record,
    wanted,
    options,
  }: {
    readonly judged: Judged;
    readonly record: SwitchRecord | undefined;
    readonly wanted: Wanted;
    readonly options: SwitchOptions;
  },
): Promise<ExitCode | 'again'> {
  const found = await lookForRecovery(context, options.deleteRegistrations);
  const { recovery, stranded } = found;
  const isOurs =
    judged.seen.fatal !== undefined && (recovery.kind === 'settings' || options.deleteRegistrations);
  if (!isOurs) {
    const why = recovery.kind === 'stuck' ? `: ${recovery.why}` : '';
    throw new SmeshError(
      'node-failing',
      ExitCode.unhealthy,
      `The node ends again and again with the new PoETs${why}. smesh.yaml names the new ones.`,
      { hint: 'smesh-compose logs node   and, where its PoETs are the reason: smesh-compose poet recover' },
    );
  }
  const names = enumerate(stranded.map(({ name }) => name));
  context.out.warn(
    `The round began before the node was up again: it ends at every start, because ${names} ${stranded.length === 1 ? 'is' : 'are'} registered only where the list does not lead. No proof is lost yet.`,
  );
  if (options.deleteRegistrations) context.out.warn(deletionWords(stranded));
  if (recovery.kind === 'settings') for (const reason of recovery.reasons) context.out.note(reason);
  await applyRecovery(context, found, { deletes: options.deleteRegistrations, timeoutMs: options.timeoutMs });
  if (options.wait !== undefined && record !== undefined) {
    await writeSwitchRecord(context, { ...record, nodeRan: false });
    return 'again';
  }
  await removeSwitchRecord(context);
  const result = options.deleteRegistrations
    ? 'The registrations were deleted and the node runs with the new PoETs: what was registered for the running round is lost.'
    : 'The node runs again and nothing is lost. The PoETs were not changed for good: those that are needed for the running round are back in the list.';
  if (context.json) {
    context.out.json({ schemaVersion: 1, outcome: 'cured', target: wanted.targetName, stranded, recovery });
  } else {
    context.out.result(result);
    context.out.note(`In the next window: smesh-compose poet switch --to ${wanted.targetName} --wait`);
  }
  return ExitCode.unhealthy;
}
