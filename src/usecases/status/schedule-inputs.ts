import type { Project } from '../../domain/project/types.ts';
import { type Machine, schedulePolicy } from '../../domain/schedule/default-policy.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';
import type { Observation } from '../observe.ts';
import { loadHistory } from '../schedule/history.ts';
import type { ScheduleInputs } from './report.ts';
import { scheduleIsRunning } from './schedule-is-running.ts';

/**
 * The machine that proves: the engine's host, else, where the engine does not tell, this one. Never rejects.
 *
 * @param timeoutMs how long the engine may take
 */
export async function askMachine({ ports, clock }: Context, timeoutMs: number): Promise<Machine> {
  const asked = ports.docker().then((docker) => docker.engine());
  const engine = await within(
    clock,
    asked.catch(() => undefined),
    timeoutMs,
  );
  if (engine !== undefined) {
    const { cpus, memoryBytes, cpuQuotas } = engine;
    return { cores: cpus, memoryBytes, cpuQuotas };
  }
  const { cpus, totalMemoryBytes } = ports.system;
  return { cores: cpus, memoryBytes: totalMemoryBytes, cpuQuotas: true };
}

/** What the schedule would go by at this look, whether it runs or not. */
export async function scheduleInputs(
  context: Context,
  project: Project,
  machine: Machine,
  observation: Observation,
): Promise<ScheduleInputs> {
  const [{ history }, runs] = await Promise.all([
    loadHistory(context),
    scheduleIsRunning(context.ports.files, context.directory, observation),
  ]);
  return {
    policy: schedulePolicy(project, machine, history),
    history,
    ...(runs === undefined ? {} : { runs }),
  };
}
