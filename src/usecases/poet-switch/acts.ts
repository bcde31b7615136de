import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { findingsError } from '../../domain/plan/findings.ts';
import type { SwitchAct } from '../../domain/poet/switch/decide.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { PoetSettings } from '../../domain/project/types.ts';
import { applyGenerate } from '../apply-generate.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { type GeneratePlan, planGenerate } from '../generate.ts';
import { releaseLeases } from '../leases/release-leases.ts';
import { executeUp, type StartedService } from '../up/execute.ts';
import { clearPendingStarts, notePendingStarts } from '../up/pending-starts.ts';
import { prepareUp } from '../up/prepare.ts';
import { watchStart } from '../up/watch-start.ts';
import { changingSteps } from '../upgrade/acts.ts';
import { type SwitchRecord, writeSwitchRecord } from './record.ts';
import type { Judged, SwitchOptions, Wanted } from './session.ts';
import { textWith } from './settings-text.ts';

export const NODE = 'node';

/** What one act needs: what was seen, what is wanted, and the record as it is on disk. */
export interface ActInput {
  readonly judged: Judged;
  readonly wanted: Wanted;
  readonly record: SwitchRecord;
  readonly options: SwitchOptions;
}

type Act = (context: Context, input: ActInput) => Promise<SwitchRecord>;

/** One executor for each act; each writes down what the next run must know before it does it. */
export const ACTS: { readonly [Kind in SwitchAct]: Act } = {
  'back-up': async (context, { judged, wanted, record }) => {
    const { project, text } = judged;
    // What would keep the files from being written or the node from its start is found before it is stopped.
    await planSettings(context, text, project.poet, wanted.to, { force: false });
    await demandStartable(context);
    const { paths } = await backUpBefore(context, project, 'poet-switch');
    const backup = { at: new Date(context.clock.now()).toISOString(), paths };
    return save(context, { ...record, backup });
  },

  'stop-node': async (context, { judged, record }) => {
    const { project, look, outcome } = judged;
    const promised = outcome === undefined ? record.promised : { ...record.promised, round: outcome.round };
    const next = await save(context, { ...record, promised, nodeRan: true });
    // Killed from here on, whatever command comes next starts it again.
    await notePendingStarts(context, project.name, [NODE]);
    context.out.note('Stopping the node. The post-services stay up.');
    if (look.container !== undefined) await (await context.ports.docker()).stop(look.container.id);
    return next;
  },

  'write-target': async (context, { judged, wanted, record }) => {
    await writeSettings(context, judged.text, judged.project.poet, wanted.to);
    context.out.note('smesh.yaml and node/config.json name the new PoETs.');
    return record;
  },

  'start-node': async (context, { record, options }) => {
    await startNode(context, options.timeoutMs);
    return record;
  },

  'start-unchanged': async (context, { judged, record }) => {
    const { container } = judged.look;
    if (container === undefined) await startNode(context, 0);
    else await (await context.ports.docker()).start(container.id);
    await clearPendingStarts(context);
    return save(context, { ...record, nodeRan: false });
  },
};

async function save(context: Context, record: SwitchRecord): Promise<SwitchRecord> {
  await writeSwitchRecord(context, record);
  return record;
}

async function demandStartable(context: Context): Promise<void> {
  const { findings } = await prepareUp(context, { services: [NODE], force: true });
  const error = findingsError(findings);
  if (error !== undefined) throw error;
}

/** smesh.yaml and all that follows from it, in one journaled act. Rejects (exit 3, 5) where that may not be. */
export async function writeSettings(
  context: Context,
  text: string,
  present: PoetSettings,
  wanted: PoetSettings,
  options: { readonly force: boolean } = { force: false },
): Promise<void> {
  await applyGenerate(context, 'poet switch', await planSettings(context, text, present, wanted, options));
}

function planSettings(
  context: Context,
  text: string,
  present: PoetSettings,
  wanted: PoetSettings,
  { force }: { readonly force: boolean },
): Promise<GeneratePlan> {
  const after = textWith(text, present, wanted);
  const { project } = requireProject(after, { directory: context.directory });
  return planGenerate(context, { project, text: after, keyPlaces: [], repairKeys: false, force });
}

/**
 * Starts the node as `up` would, made anew where its configuration has changed, and nothing else.
 *
 * @param timeoutMs how long it may take to be healthy; 0: does not wait
 */
export async function startNode(context: Context, timeoutMs: number): Promise<void> {
  const prepared = await prepareUp(context, { services: [NODE], force: true });
  const error = findingsError(prepared.findings);
  if (error !== undefined) throw error;
  const since = context.clock.now() - 1000;
  await applyGenerate(context, 'poet switch', prepared.generate);
  const plan = { ...prepared.plan, steps: changingSteps(prepared.plan.steps) };
  const started: StartedService[] = [];
  await executeUp(context, { ...prepared, plan }, { force: false }, started);
  await releaseLeases(context, prepared.project);
  const [node] = started;
  if (node === undefined) return;
  if (node.error !== undefined) {
    throw new SmeshError(
      'node-not-started',
      ExitCode.unhealthy,
      `The engine does not start the node: ${node.error}`,
      {
        hint: 'Put that right, then go on: smesh-compose poet switch',
      },
    );
  }
  if (timeoutMs > 0) await waitUntilUp(context, prepared.project.name, node, { since, timeoutMs });
}

/** A node that has failed may stay for half a minute before it ends (spacemesh.md §14.2). */
const LINGERS_MS = 45_000;
const LOOK_EVERY_MS = 500;

/** Until its ports are open, or it has ended: why it did is looked for by whoever looks next. */
async function waitUntilUp(
  context: Context,
  project: string,
  node: StartedService,
  { since, timeoutMs }: { readonly since: number; readonly timeoutMs: number },
): Promise<void> {
  const { timedOut, services } = await watchStart(context, { project, services: [node], since, timeoutMs });
  const [seen] = services;
  if (!timedOut && seen?.state === 'healthy') return;
  if (timedOut) {
    throw new SmeshError(
      'node-not-healthy',
      ExitCode.unhealthy,
      'The node runs with the new PoETs, and its ports are not open yet',
      {
        hint: 'A PoET that does not answer delays it by 9 to 18 min. Look: smesh-compose logs node   and go on: smesh-compose poet switch --wait',
      },
    );
  }
  const docker = await context.ports.docker();
  const until = context.clock.now() + LINGERS_MS;
  while (context.clock.now() < until) {
    const container = await docker.inspect(node.containerId);
    if (container?.state !== 'running' || container.restartCount > 0) return;
    await context.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
  throw new SmeshError(
    'node-failed',
    ExitCode.unhealthy,
    `The node does not start: ${seen?.reason ?? 'it does not say why'}`,
    {
      hint: 'smesh-compose logs node',
    },
  );
}
