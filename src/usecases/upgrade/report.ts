import { ExitCode } from '../../domain/errors.ts';
import { type ImageReference, shortReference } from '../../domain/upgrade/image-reference.ts';
import { printable } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { Change } from './choose.ts';
import type { RollResult, WayBackResult } from './result.ts';

export function changesToJson(changes: readonly Change[]): readonly unknown[] {
  return changes.map(({ use, from, to }) => ({ use, from: from.map(({ text }) => text), to: to.text }));
}

/**
 * How an upgrade ended, and what to type next. Returns the exit code.
 *
 * @param begun it was gone on with: another command may have done the rest
 */
export function reportUpgrade(
  context: Context,
  changes: readonly Change[],
  result: RollResult,
  begun = false,
): ExitCode {
  if (context.json) {
    const { upgraded, waiting, warnings } = result;
    context.out.json({
      schemaVersion: 1,
      dryRun: false,
      outcome: outcomeOf(result),
      changes: changesToJson(changes),
      upgraded,
      waiting,
      warnings,
      ...(result.kind === 'failed'
        ? { failed: { use: result.use, why: result.why, back: result.back } }
        : {}),
    });
  } else if (begun && result.kind === 'done' && result.upgraded.length === 0) {
    const images = changes.map(({ to }) => shortReference(to)).join(' and ');
    const warnings = result.warnings.map((warning) => `  ! ${printable(warning)}`);
    context.out.result([`It is complete: nothing was left to do for ${images}.`, ...warnings].join('\n'));
    context.out.note('Is there anything newer?  smesh-compose upgrade --check');
  } else {
    context.out.result(render(changes, result).join('\n'));
  }
  return exitCodeOf(result);
}

function outcomeOf(result: RollResult): string {
  if (result.kind !== 'failed') return result.kind === 'done' ? 'upgraded' : 'waiting';
  return result.back.kind === 'back' ? 'rolled-back' : 'failed';
}

function exitCodeOf({ kind, warnings }: RollResult): ExitCode {
  if (kind === 'failed' || kind === 'timed-out') return ExitCode.unhealthy;
  if (kind === 'waiting') return ExitCode.changesPending;
  return warnings.length > 0 ? ExitCode.unhealthy : ExitCode.ok;
}

function render(changes: readonly Change[], result: RollResult): readonly string[] {
  const warnings = result.warnings.map((warning) => `  ! ${printable(warning)}`);
  if (result.kind === 'failed') return [...renderFailure(changes, result), ...warnings];
  const done = describeDone(changes, result.upgraded);
  if (result.kind === 'done') return [done, ...warnings];
  const waited = result.kind === 'timed-out' ? 'No safe moment came in that time for' : 'Not yet';
  return [
    done,
    `${waited}: ${plural(result.waiting.length, 'service')}; with the former image they go on as they are, and no proof is lost.`,
    ...result.waiting.map(({ service, why }) => `  ! ${service} later: ${printable(why)}`),
    ...warnings,
    '→ The rest, in safe moments, with all checks:  smesh-compose upgrade --wait',
  ];
}

function describeDone(changes: readonly Change[], upgraded: readonly string[]): string {
  const node = changes.find(({ use }) => use === 'node');
  const provers = changes.find(({ use }) => use === 'post-service');
  const count = upgraded.filter((service) => service !== 'node').length;
  const parts = [
    ...(node !== undefined && upgraded.includes('node') ? [`the node has ${shortReference(node.to)}`] : []),
    ...(provers !== undefined && count > 0
      ? [`${plural(count, 'post-service has', 'post-services have')} ${shortReference(provers.to)}`]
      : []),
  ];
  if (parts.length > 0) return `Upgraded: ${parts.join('; ')}.`;
  const images = changes.map(({ to }) => shortReference(to)).join(' and ');
  return `smesh.yaml names ${images}. No container was changed.`;
}

function renderFailure(
  changes: readonly Change[],
  { use, why, back, upgraded }: Extract<RollResult, { kind: 'failed' }>,
): readonly string[] {
  const change = changes.find((one) => one.use === use);
  const [to, from] = [shortOf(change?.to), shortOf(change?.from[0])];
  const name = use === 'node' ? 'The node' : 'The first post-service';
  const others = upgraded.length > 0 ? [describeDone(changes, upgraded)] : [];
  return [
    `${name} did not do its work with ${to}: ${printable(why)}`,
    ...afterwards(back, to, from),
    ...others,
  ];
}

function afterwards(back: WayBackResult, to: string, from: string): readonly string[] {
  switch (back.kind) {
    case 'back':
      return [
        `It is back on ${from}, and so is smesh.yaml. No proof was lost by it.`,
        '→ What the new one says on its own: docker run --rm IMAGE version   Other releases: smesh-compose upgrade --check',
      ];
    case 'not-well':
      return [
        `smesh.yaml names ${from} again, but: ${printable(back.why)}`,
        '→ Look at it, then bring it back: smesh-compose status, smesh-compose logs, smesh-compose up',
      ];
    case 'impossible':
      return [
        `It stays on ${to}: ${printable(back.why)}. A node that is put back on older databases does not start.`,
        'local.sql as it was before is in the newest backup (smesh-compose backup list); putting it back can make an identity publish twice, which ends it for ever.',
        '→ It may only need longer: smesh-compose logs node   Or go forward to a mended release: smesh-compose upgrade --check',
      ];
  }
}

function shortOf(image: ImageReference | undefined): string {
  return image === undefined ? 'its image' : shortReference(image);
}
