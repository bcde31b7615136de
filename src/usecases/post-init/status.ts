import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type JobReport, needsSomebody } from '../../domain/post-init/job-report.ts';
import type { Project } from '../../domain/project/types.ts';
import type { DockerPort } from '../../ports/docker.ts';
import { adviceLines, jobToJson, renderJobs } from '../../ui/post-jobs.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { gatherReports } from './gather-reports.ts';
import { chooseJobs } from './job-containers.ts';

/** `post status`: 0, 6 when a job needs somebody, 4 when the engine cannot be asked (the files are told all the same). */
export async function runJobStatus(context: Context, names: readonly string[]): Promise<number> {
  const { project } = await loadProject(context);
  const chosen = new Set(chooseJobs(project, names).map(({ name }) => name));
  const engine = await reachEngine(context);
  const all = await gatherReports(context, project, 'docker' in engine ? engine.docker : undefined);
  const reports = all.filter(({ job }) => chosen.has(job.name));
  const unasked = 'error' in engine && reports.length > 0;
  const exitCode = unasked
    ? ExitCode.environment
    : reports.some(needsSomebody)
      ? ExitCode.unhealthy
      : ExitCode.ok;
  if (context.json) {
    const error = 'error' in engine ? { code: engine.error.code, message: engine.error.message } : null;
    context.out.json({ schemaVersion: 1, exitCode, engine: error, jobs: reports.map(jobToJson) });
    return exitCode;
  }
  if (reports.length === 0) {
    context.out.result('No data is being made. Make new identities: smesh-compose post init DIR');
    return exitCode;
  }
  context.out.result(
    [...renderJobs(reports, context.out.columns, styleOf(context)), ...summary(project, reports)].join('\n'),
  );
  if ('error' in engine)
    context.out.warn(`Whether they run is not known: ${engine.error.message}\n${engine.error.hint ?? ''}`);
  return exitCode;
}

export function styleOf({ clock }: Context) {
  return { now: clock.now(), localOffsetMinutes: (at: number) => clock.localOffsetMinutes(at) };
}

function summary(project: Project, reports: readonly JobReport[]): readonly string[] {
  const advice = adviceLines(reports);
  if (advice.length > 0) return ['', ...advice];
  if (reports.every(({ place }) => place.kind === 'complete'))
    return ['', 'All labels are there. Take the identities in: smesh-compose post init --resume'];
  const idle = reports.every(({ place }) => place.kind !== 'runs');
  if (idle) return ['', 'Nothing runs. Begin, or go on: smesh-compose post init --resume'];
  const left = reports.some(({ place }) => place.kind === 'waits' || place.kind === 'starts');
  return left && project.initialisation !== undefined
    ? ['', 'The next one starts while somebody watches: smesh-compose post init --resume']
    : [];
}

async function reachEngine(
  context: Context,
): Promise<{ readonly docker: DockerPort } | { readonly error: SmeshError }> {
  try {
    const docker = await context.ports.docker();
    await docker.engine();
    return { docker };
  } catch (error) {
    if (error instanceof SmeshError) return { error };
    throw error;
  }
}
