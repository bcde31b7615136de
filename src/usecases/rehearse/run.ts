import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type RehearsalEnd, rehearsalToJson, renderRehearsal } from '../../ui/rehearsal.ts';
import type { Context } from '../context.ts';
import { runDown } from '../down.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { removeFolder, shownPath, takeDownCommand } from './folder.ts';
import { projectContext } from './project-context.ts';
import { Rehearsal, type RehearsalOptions } from './rehearsal.ts';

/**
 * Plays a rehearsal and takes down what it made: after success and after Ctrl-C, unless `keep`; after a failure all stays
 * for inspection. Resolves with 0 or rejects with what was not kept (exit 3 or 6).
 */
export async function runRehearsal(context: Context, options: RehearsalOptions): Promise<ExitCode> {
  const rehearsal = new Rehearsal(context, options);
  const began = context.clock.now();
  try {
    const summary = await rehearsal.play();
    await rehearsal.stopFollowing();
    let left: readonly string[] = [];
    if (!options.keep) {
      context.out.note('\nThe end: all of it is taken down again');
      left = await takeDown(context, rehearsal, false);
    }
    const end: RehearsalEnd = { tookMs: context.clock.now() - began, kept: options.keep, left };
    if (context.json) context.out.json(rehearsalToJson(summary, end));
    else context.out.result(`\n${renderRehearsal(summary, end)}`);
    if (options.keep) {
      context.out.note(
        `\nLook around:   smesh-compose -C ${shownPath(`${summary.directory}/project`)} status`,
      );
      context.out.note(`Take it down:  ${takeDownCommand(summary.directory)}`);
    }
    return ExitCode.ok;
  } catch (error) {
    await rehearsal.stopFollowing();
    const { folder } = rehearsal;
    if (folder === undefined) throw error;
    if (context.signal.aborted && !options.keep) throw await cancel(context, rehearsal);
    if (context.signal.aborted) throw cancelledAndKept(folder.path);
    throw withRemains(error, folder.path);
  }
}

/** Ctrl-C: nothing is left behind, and that is said. */
async function cancel(context: Context, rehearsal: Rehearsal): Promise<SmeshError> {
  context.out.note('\nTaking down what the rehearsal had started …');
  const left = await takeDown(context, rehearsal, true);
  return new SmeshError(
    'cancelled',
    ExitCode.cancelled,
    'Cancelled. What the rehearsal had started is taken down and removed again.',
    { details: left.map((path) => `not made by the rehearsal, so still there: ${path}`) },
  );
}

function cancelledAndKept(path: string): SmeshError {
  return new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled. What was started goes on by itself.', {
    hint: `Take it down:  ${takeDownCommand(path)}`,
  });
}

/** Containers and network by `down`, then the folder. Answers what is left of the folder. */
async function takeDown(
  context: Context,
  rehearsal: Rehearsal,
  interrupted: boolean,
): Promise<readonly string[]> {
  const { folder, made } = rehearsal;
  if (folder === undefined) return [];
  // The user's Ctrl-C ended the rehearsal; it must not end the cleaning up, too.
  const inner = projectContext(context, folder.project, new AbortController().signal);
  if (await context.ports.files.exists(`${folder.project}/${PROJECT_FILE}`)) {
    if (interrupted) await downIfMade(inner);
    else {
      context.out.note(`   $ smesh-compose -C ${shownPath(folder.project)} down`);
      await downWhenIdle(inner);
      context.out.note('   A real project keeps all that. The rehearsal now removes its own folder, too.');
    }
  }
  await requireGone(inner, rehearsal.projectName);
  return removeFolder(inner, folder, made);
}

/** Data are not removed below a container that still has them. */
async function requireGone(inner: Context, project: string): Promise<void> {
  const docker = await inner.ports.docker();
  const left = await docker.containers({ project });
  if (left.length === 0) return;
  throw new SmeshError(
    'rehearsal-failed',
    ExitCode.unhealthy,
    'The rehearsal failed. Not kept: down removes all containers of the project',
    { details: left.map(({ name, state }) => `${name}: ${state}`) },
  );
}

async function downIfMade(inner: Context): Promise<void> {
  // Cancelled before init was through: there is no compose.yaml, and so no container.
  if (!(await inner.ports.files.exists(`${inner.directory}/compose.yaml`))) return;
  await runDown(inner, { force: true, dryRun: false });
}

/** Longer than a node takes after its start until its word counts. */
const LONGEST_WAIT_MS = 40_000;

/** Everybody has published, but for some seconds the node may not yet count as settled; `down` rightly waits then. */
async function downWhenIdle(inner: Context): Promise<void> {
  try {
    await runDown(inner, { force: false, dryRun: false, wait: { timeoutMs: LONGEST_WAIT_MS } });
  } catch (error) {
    if (!(error instanceof SmeshError) || error.code !== 'no-safe-moment') throw error;
    await runDown(inner, { force: true, dryRun: false });
  }
}

function withRemains(error: unknown, path: string): unknown {
  if (!(error instanceof SmeshError)) return error;
  const look = `Everything is left for you to look at in ${path}.   Take it down:  ${takeDownCommand(path)}`;
  return new SmeshError(error.code, error.exitCode, error.message, {
    details: error.details,
    hint: error.hint === undefined ? look : `${error.hint}   ${look}`,
    cause: error,
  });
}
