import { withoutKey } from '../../domain/backup/complete.ts';
import { isUp } from '../../domain/compose/container-role.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { destinationsOf, sameDiskWarning } from './destinations.ts';
import { chooseLock, type LockOptions } from './locks.ts';
import { contentsOf, type MakeRequest, makeBackup } from './make.ts';
import { showCreated, showWouldCreate } from './show.ts';
import { collectSources } from './sources.ts';

export interface CreateOptions extends LockOptions {
  readonly withState: boolean;
  /** Absolute; instead of `backup.to`. */
  readonly to?: string;
  readonly dryRun: boolean;
}

/** A backup made by hand. Exit 3 where one of several destinations did not get it, or a key is missing. */
export async function createBackup(
  context: Context,
  project: Project,
  options: CreateOptions,
): Promise<ExitCode> {
  if (options.withState) await refuseRunningNode(context, project);
  const destinations = options.to === undefined ? destinationsOf(context, project) : [options.to];
  const holder = project.identities.find(({ data }) => `${options.to ?? ''}/`.startsWith(`${data}/`));
  if (holder !== undefined)
    throw new SmeshError(
      'bad-destination',
      ExitCode.usage,
      `${options.to} lies in the PoST directory of ${holder.name}: name another disk`,
    );
  const lock = options.dryRun ? undefined : await chooseLock(context, project, options);
  const request: MakeRequest = {
    reason: 'manual',
    ...(lock === undefined ? {} : { lock }),
    withState: options.withState,
    also: [],
    destinations,
  };
  if (options.dryRun) return wouldCreate(context, project, request, options.withoutKeys);
  const made = await makeBackup(context, project, request);
  const warning = await sameDiskWarning(context, project, destinations);
  showCreated(context, made, lock, warning);
  return made.failed.length > 0 || withoutKey(made.contents).length > 0 ? ExitCode.invalid : ExitCode.ok;
}

/** Looks at the databases where they are: nothing is copied, and a backup that is made meanwhile is not disturbed. */
async function wouldCreate(
  context: Context,
  project: Project,
  request: MakeRequest,
  withoutKeys: boolean,
): Promise<ExitCode> {
  const wanted = { ...request, project, withKeys: !withoutKeys, stage: false };
  const collected = await collectSources(context, wanted);
  const contents = await contentsOf(context, project, request, collected, context.clock.now());
  showWouldCreate(context, contents, request.destinations ?? []);
  return ExitCode.ok;
}

async function refuseRunningNode(context: Context, project: Project): Promise<void> {
  const docker = await context.ports.docker();
  const containers = await docker.containers();
  const node = containers.find(
    (one) => one.project === project.name && readLabels(one.labels)?.role === 'node' && isUp(one),
  );
  if (node === undefined) return;
  throw new SmeshError(
    'node-runs',
    ExitCode.refused,
    'state.sql cannot be copied while the node writes it: hundreds of GiB would have to be copied twice. Nothing was changed.',
    {
      hint: 'Stop it first (proofs under way are kept): smesh-compose stop node --wait   Or leave out --with-state.',
    },
  );
}
