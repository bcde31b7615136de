import { ExitCode } from '../../domain/errors.ts';
import { freeWords, missedWords, proposalsCost, proposalsToJson } from '../../ui/proposals.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { lookAtProvers, unsafeOf } from './look-at-provers.ts';
import { findMissedSoon } from './proposals.ts';
import { type Blocked, blockedToJson, isBlocked, lossOf, notNow } from './refuse.ts';
import { chooseServices } from './stop.ts';

export interface GuardOptions {
  /** Names of services or smesher IDs; empty: all, the node among them. */
  readonly services: readonly string[];
}

/**
 * For cron and update hooks: 0 when everything named may be stopped now, 75 (try again later) while anything proves, may
 * prove, or the node is needed for the cycle gap or a proposal. Where proposals leave no free moment it only says what is
 * missed: else nobody could ever reboot. Changes nothing and takes no lock.
 */
export async function runGuard(context: Context, options: GuardOptions): Promise<ExitCode> {
  const { project } = await loadProject(context);
  const docker = await context.ports.docker();
  await docker.engine();
  // What `docker compose run` made proves as well, and a reboot would end it as well.
  const own = await docker.containers({ project: project.name });
  const services = chooseServices(options.services, project, own);
  const looks = await lookAtProvers(context, project, own);
  const asked = services ?? [...looks.provers.keys()];
  const nodeAsked = services === undefined || services.includes('node');
  const node = nodeAsked && looks.nodeChange.kind === 'waits' ? looks.nodeChange : undefined;
  const blocked: Blocked = {
    losses: unsafeOf(looks, asked).map(lossOf),
    ...(node === undefined ? {} : { node }),
  };
  const missed = nodeAsked ? findMissedSoon(project, looks) : undefined;
  const busy = isBlocked(blocked) || missed?.free !== undefined;
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      project: project.name,
      safe: !busy,
      ...blockedToJson(blocked),
      proposals: proposalsToJson(missed),
    });
  } else if (isBlocked(blocked)) {
    const also = missed === undefined ? [] : [`  node: ${proposalsCost(missed, style)}`];
    context.out.result([notNow(blocked, style), ...also].join('\n'));
  } else if (missed?.free !== undefined) {
    context.out.result(`Not now: ${missedWords(missed)}.\n  ${freeWords(missed, style)}`);
  } else {
    context.out.result(
      services === undefined
        ? 'Safe: nothing proves, and the node is not needed for the cycle gap.'
        : `Safe: ${enumerate(services)} may be stopped now.`,
    );
    if (missed !== undefined) context.out.note(`Without the node ${proposalsCost(missed, style)}.`);
  }
  return busy ? ExitCode.busy : ExitCode.ok;
}
