import type { LabelResult, VerifyPlace } from '../../domain/post-verify/report.ts';
import type { Project } from '../../domain/project/types.ts';
import { formatDuration } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { checkLabels, type LabelCheck, StopChecking } from './check-labels.ts';
import { watchOver } from './watch-over.ts';

interface Queue {
  readonly disk: string;
  readonly checks: readonly LabelCheck[];
  readonly controller: AbortController;
}

/**
 * Checks all directories: several disks at the same time, on each disk one after the other. What a disk was stopped for
 * (StopChecking) is the answer of all that were still to come on it. Ctrl-C ends all containers; what was found until then
 * is answered.
 *
 * @param options.onEnd called as each ends, so that what is known survives whatever comes after
 */
export async function runChecks(
  context: Context,
  project: Project | undefined,
  checks: readonly LabelCheck[],
  options: {
    readonly image: string;
    readonly fraction: number;
    onEnd(check: LabelCheck, result: LabelResult): Promise<void>;
  },
): Promise<ReadonlyMap<VerifyPlace, LabelResult>> {
  const queues = queuesOf(checks);
  const results = new Map<VerifyPlace, LabelResult>();
  const progress = new Progress(context, queues);
  const ended = new AbortController();
  const cancel = () => {
    for (const { controller } of queues) controller.abort(new StopChecking('ended by Ctrl-C'));
  };
  context.signal.addEventListener('abort', cancel, { once: true });
  if (context.signal.aborted) cancel();
  const watch = watchOver(
    context,
    project,
    queues.map(({ disk, checks: own, controller }) => ({
      disk,
      places: own.map(({ place }) => place),
      stop: (reason: StopChecking) => controller.abort(reason),
    })),
    ended.signal,
  );
  try {
    // All to their end, also when one fails: containers must not go on behind an error.
    const all = await Promise.allSettled(
      queues.map(async ({ checks: own, controller: { signal }, disk }) => {
        for (const check of own) {
          const result = await checkOne(context, check, {
            ...options,
            signal,
            onFile: (file) => progress.begun(disk, check, file),
          });
          results.set(check.place, result);
          await options.onEnd(check, result);
        }
        progress.done(disk);
      }),
    );
    for (const one of all) if (one.status === 'rejected') throw one.reason;
  } finally {
    ended.abort();
    context.signal.removeEventListener('abort', cancel);
    await watch;
    progress.end();
  }
  return results;
}

async function checkOne(
  context: Context,
  check: LabelCheck,
  options: Parameters<typeof checkLabels>[2],
): Promise<LabelResult> {
  const { reason, aborted } = options.signal;
  if (aborted && reason instanceof StopChecking) return { kind: 'stopped', wrong: [], why: reason.message };
  return checkLabels(context, check, options);
}

function queuesOf(checks: readonly LabelCheck[]): readonly Queue[] {
  const disks = new Map<string, LabelCheck[]>();
  for (const check of checks) disks.set(check.place.disk, [...(disks.get(check.place.disk) ?? []), check]);
  return [...disks].map(([disk, own]) => ({ disk, checks: own, controller: new AbortController() }));
}

/** A line per disk: which file, since when, how long it may take. */
class Progress {
  readonly #context: Context;
  readonly #live: ReturnType<Context['out']['live']>;
  readonly #lines = new Map<string, string>();
  readonly #since = new Map<LabelCheck, number>();

  constructor(context: Context, queues: readonly Queue[]) {
    this.#context = context;
    this.#live = context.out.live();
    for (const { disk } of queues) this.#lines.set(disk, `${disk}  begins`);
  }

  begun(disk: string, check: LabelCheck, file: number): void {
    const now = this.#context.clock.now();
    const since = this.#since.get(check) ?? now;
    this.#since.set(check, since);
    const { range, place } = check;
    const [done, all] = [file - range.from, range.to - range.from + 1];
    const left = done <= 0 ? '' : `, about ${formatDuration(((now - since) / done) * (all - done))} more`;
    this.#lines.set(disk, `${disk}  ${place.name ?? place.path}  file ${file}, ${done + 1} of ${all}${left}`);
    // Elsewhere than on a terminal each change would be a line.
    if (this.#context.out.interactive) this.#live.update([...this.#lines.values()]);
  }

  done(disk: string): void {
    this.#lines.delete(disk);
    if (this.#context.out.interactive) this.#live.update([...this.#lines.values()]);
  }

  end(): void {
    this.#live.done();
  }
}
