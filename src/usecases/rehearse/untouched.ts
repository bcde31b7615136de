import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ContainerMark, Marks } from '../../ui/rehearsal.ts';
import type { Context } from '../context.ts';

/** Marks of a project's containers as they are now. */
export async function markContainers(context: Context, project: string): Promise<Marks> {
  const docker = await context.ports.docker();
  const containers = (await docker.containers({ project })).filter(({ oneOff }) => !oneOff);
  const ofRole = (role: 'node' | 'prover') =>
    containers.filter(({ labels }) => readLabels(labels)?.role === role).map(markOf);
  return { node: ofRole('node')[0], provers: ofRole('prover') };
}

function markOf({ id, name, service, startedAt }: ObservedContainer): ContainerMark {
  return { service: service ?? name, containerId: id, startedAt: startedAt ?? 0 };
}

/**
 * Compares two moments. Throws (exit 3), naming what was touched, unless every prover is the same container in the same
 * run as before, exactly those named are new, and the node is another container than before.
 */
export function requireUntouched(before: Marks, after: Marks, added: readonly string[]): void {
  const broken: string[] = [];
  for (const prover of before.provers) {
    const now = after.provers.find(({ service }) => service === prover.service);
    if (now === undefined) broken.push(`${prover.service} is gone`);
    else if (now.containerId !== prover.containerId) broken.push(`${prover.service} was recreated`);
    else if (now.startedAt !== prover.startedAt) broken.push(`${prover.service} was restarted`);
  }
  const known = new Set(before.provers.map(({ service }) => service));
  const fresh = after.provers.map(({ service }) => service).filter((service) => !known.has(service));
  for (const service of added) if (!fresh.includes(service)) broken.push(`${service} was not created`);
  for (const service of fresh) if (!added.includes(service)) broken.push(`${service} appeared unasked`);
  if (after.node === undefined) broken.push('the node is gone');
  else if (after.node.containerId === before.node?.containerId) {
    broken.push('the node was not recreated, so it has not read the new key');
  }
  if (broken.length === 0) return;
  throw new SmeshError(
    'rehearsal-failed',
    ExitCode.invalid,
    'The rehearsal failed. Not kept: adding an identity recreates the node and touches no other post-service',
    { details: broken },
  );
}
