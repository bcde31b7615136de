import { rolesIn } from '../../domain/compose/container-role.ts';
import { ExitCode } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { proposalsCost } from '../../ui/proposals.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import type { LifecycleAct } from './act-when-safe.ts';
import { lookAtProvers, unsafeOf } from './look-at-provers.ts';
import { findMissed } from './proposals.ts';
import { type Blocked, isBlocked, lossOf, priceLines, refusal } from './refuse.ts';

/** `--dry-run`: whom the act would reach and what it would cost; refuses where the act itself would (exit 5). */
export async function showWhatWouldBeLost(
  context: Context,
  project: Project,
  act: Pick<LifecycleAct, 'verb' | 'command' | 'choose'>,
  force: boolean,
): Promise<ExitCode> {
  const docker = await context.ports.docker();
  const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
  const looks = await lookAtProvers(context, project, own);
  const roleOf = rolesIn(project);
  const targets = act.choose(own);
  const names = targets.map(({ service, name }) => service ?? name);
  const hasNode = targets.some((one) => roleOf(one) === 'node');
  const node = hasNode && looks.nodeChange.kind === 'waits' ? looks.nodeChange : undefined;
  const missed = hasNode ? findMissed(project, looks) : undefined;
  const blocked: Blocked = {
    losses: unsafeOf(looks, new Set(targets.flatMap(({ service }) => service ?? []))).map(lossOf),
    ...(node === undefined ? {} : { node }),
  };
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  if (isBlocked(blocked) && !force) throw refusal(blocked, act.verb, act.command, style);
  const costs = [
    ...(isBlocked(blocked) ? priceLines(blocked, style) : ['no work, no registration']),
    ...(missed === undefined ? [] : [`node: ${proposalsCost(missed, style)}`]),
  ];
  if (context.json) {
    context.out.json({ schemaVersion: 1, project: project.name, verb: act.verb, services: names, costs });
  } else {
    const subject = names.length === 0 ? 'nothing: none of them runs' : enumerate(names);
    context.out.result(
      [`Would ${act.verb} ${subject}. It costs:`, ...costs.map((line) => `  ${line}`)].join('\n'),
    );
    context.out.note(`Nothing has been changed. Apply with: ${act.command}${force ? ' --force' : ''}`);
  }
  return ExitCode.ok;
}
