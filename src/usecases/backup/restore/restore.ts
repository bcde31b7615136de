import { decideRestore, type RestoreDecision } from '../../../domain/backup/decide-restore.ts';
import { judgeOldDatabase, type OldDatabase } from '../../../domain/backup/old-database.ts';
import { cancelled, ExitCode, SmeshError } from '../../../domain/errors.ts';
import { epochClock } from '../../../domain/poet/epochs.ts';
import type { Context } from '../../context.ts';
import { withoutChanges, withProjectLock } from '../../project-lock.ts';
import { backUpBefore } from '../back-up-before.ts';
import { chooseKey } from '../locks.ts';
import { verifyBackup } from '../verify.ts';
import { refuseUnsafeRestore } from './check-safety.ts';
import { lookAtTarget, type RestoreLook } from './look.ts';
import { reportRestored, showPlan } from './report.ts';
import type { RestoreRequest } from './request.ts';
import { writeRestored } from './write.ts';

/**
 * Brings a project back from a backup, into an empty folder or one whose keys and local.sql are those of the backup. Never
 * puts a key or a database in the place of another one. An old local.sql only goes back where nobody can have published
 * since, or by a deliberate option (spacemesh.md §9.1.2).
 */
export async function restoreBackup(context: Context, request: RestoreRequest): Promise<ExitCode> {
  const act = () => restore(context, request);
  return request.dryRun
    ? withoutChanges(context, act)
    : withProjectLock(context, 'backup restore', act, { startPending: false });
}

async function restore(context: Context, request: RestoreRequest): Promise<ExitCode> {
  const key = await chooseKey(context, request.file, request);
  const verified = await verifyBackup(context, request.file, key);
  if (verified.faults.length > 0) throw faulty(request.file, verified.faults);
  const look = await lookAtTarget(context, verified);
  await refuseUnsafeRestore(context, look);
  const database = judgeDatabase(look, context.clock.now());
  const decision = decide(look, database, request);
  if (decision.refusals.length > 0) throw newerState(context, decision.refusals);
  showPlan(context, look, decision, request.dryRun);
  if (request.dryRun || decision.put.length === 0) {
    await reportRestored(context, look, decision, database, request);
    return ExitCode.ok;
  }
  if (!context.yes && context.out.interactive) {
    const yes = await context.ports.prompt.confirm({ message: 'Restore it?', flag: '--yes', initial: true });
    if (!yes) throw cancelled('smesh-compose backup restore');
  }
  if (look.occupied)
    await backUpBefore(context, look.standing ?? look.project, 'restore', { spare: request.file });
  await writeRestored(context, request.file, key, verified, look, decision.put);
  await reportRestored(context, look, decision, database, request);
  return ExitCode.ok;
}

/** By the PoETs of both: they may have been changed since, and with an earlier phase publishing begins earlier. */
function judgeDatabase({ project, standing, contents }: RestoreLook, now: number): OldDatabase {
  const judged = [project, standing ?? project].map(({ network, poet }) =>
    judgeOldDatabase(epochClock(network, poet), Date.parse(contents.createdAt), now),
  );
  return judged.find(({ kind }) => kind !== 'current') ?? { kind: 'current' };
}

function decide(look: RestoreLook, database: OldDatabase, request: RestoreRequest): RestoreDecision {
  return decideRestore({
    contents: look.contents,
    items: look.items,
    keys: look.keys,
    standing: look.standing,
    hasDatabase: look.hasDatabase,
    strayJournals: look.strayJournals,
    database,
    withOldLocalSql: request.withOldLocalSql,
  });
}

function faulty(file: string, faults: readonly string[]): SmeshError {
  return new SmeshError(
    'backup-faults',
    ExitCode.invalid,
    `Not everything in ${file} is what it should be. Nothing was changed.`,
    { details: faults, hint: 'Take another one: smesh-compose backup list' },
  );
}

function newerState(context: Context, refusals: readonly string[]): SmeshError {
  return new SmeshError(
    'newer-state',
    ExitCode.refused,
    `Not restored: ${context.directory} has keys or a local.sql of its own, which are newer than the backup or of another node. Nothing was changed.`,
    {
      details: refusals,
      hint: 'Restore into an empty folder (--to DIR), or move away what is named above; keep it: it may be the only copy.',
    },
  );
}
