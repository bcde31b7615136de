import type { Project } from '../../domain/project/types.ts';
import { NO_MEMORY, type StopMemory } from '../../domain/proving/stop-memory.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { renderWaiting } from '../../ui/waiting.ts';
import type { Context } from '../context.ts';
import { LOOK_EVERY_MS } from './act-when-safe.ts';
import { lookAtProvers, unsafeOf } from './look-at-provers.ts';
import { lossOf } from './refuse.ts';

/** What has been put off, and what each part of it waits for. */
export interface PutOff {
  readonly provers: ReadonlySet<string>;
  readonly node: boolean;
  /** `recreated` */
  readonly doneWord: string;
}

/**
 * Waits until the first of what was put off can be done without losing anything, or the time is up. Shows meanwhile whom
 * it waits for. Rejects when the signal is aborted.
 *
 * @param until milliseconds since 1970; absent: for as long as it takes
 */
export async function waitForSafe(
  context: Context,
  project: Project,
  { provers, node, doneWord }: PutOff,
  until: number | undefined,
): Promise<'safe' | 'timed-out' | 'nothing-to-wait-for'> {
  const { clock, out, signal } = context;
  const docker = await context.ports.docker();
  const started = clock.now();
  const live = out.live();
  let memory: StopMemory = NO_MEMORY;
  try {
    for (;;) {
      const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
      const looks = await lookAtProvers(context, project, own, memory);
      memory = looks.memory;
      const losses = unsafeOf(looks, provers).map(lossOf);
      const nodeWaits = node && looks.nodeChange.kind === 'waits' ? looks.nodeChange : undefined;
      // Services of the user's own that wait for one of these have no state that would tell their moment.
      const known = [...provers].filter((service) => looks.provers.has(service)).length;
      if (known === 0 && !node) return 'nothing-to-wait-for';
      if (until !== undefined && clock.now() >= until) return 'timed-out';
      if (losses.length < known || (node && nodeWaits === undefined)) return 'safe';
      const style = momentStyle(looks.timeline, looks.at, (at) => clock.localOffsetMinutes(at));
      const waiting = { losses, done: 0, doneWord, ...(nodeWaits === undefined ? {} : { node: nodeWaits }) };
      live.update(renderWaiting(waiting, looks.at - started, style, out.interactive));
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  } finally {
    live.done();
  }
}
