import type { DoctorArea } from '../../domain/doctor/codes.ts';
import { type DoctorFinding, doctorExitCode, finding, inReportOrder } from '../../domain/doctor/finding.ts';
import type { TimeServer } from '../../ports/clock-sources.ts';
import type { Context } from '../context.ts';
import { checkDisks } from './check-disks.ts';
import { checkKeys } from './check-keys.ts';
import { checkPorts } from './check-ports.ts';
import { checkFiles, checkImages, checkMemory, checkProjectFile, checkUpdaters } from './check-project.ts';
import {
  askPoets,
  checkClock,
  checkCompose,
  checkEngine,
  checkHost,
  checkPoets,
} from './check-surroundings.ts';
import { lookAtAllData, nodeDataAnswers } from './data.ts';
import {
  inTime,
  lookAtContainers,
  lookAtEngine,
  lookAtProject,
  observeForDoctor,
  once,
  type Patience,
  type SharedLooks,
} from './look.ts';

export interface ExamineRequest {
  readonly timeServers: readonly TimeServer[];
  /** For each question to a server elsewhere. */
  readonly serverMs: number;
}

export interface Examination {
  readonly at: number;
  readonly project?: { readonly name: string; readonly network: string };
  /** By area, the worst first. */
  readonly findings: readonly DoctorFinding[];
  readonly exitCode: 0 | 3 | 4;
  /** What was seen on the way, for a report. */
  readonly looks: SharedLooks;
}

/** An engine with 150 containers on slow disks takes its time, and more is not waited for. */
const ENGINE_MS = 20_000;
/** Beyond the time of every single question in it, so that it is only reached when something hangs that has none. */
const CHECK_MS = 45_000;

/**
 * Looks at everything at once; changes nothing. One check that fails or hangs is a finding of its own, and the others are
 * reported all the same.
 */
export async function examine(context: Context, request: ExamineRequest): Promise<Examination> {
  const patience: Patience = { serverMs: request.serverMs, engineMs: ENGINE_MS };
  const project = await lookAtProject(context);
  const looks = shareLooks(context, project, patience);
  const checks: Readonly<Record<DoctorArea, () => Promise<readonly DoctorFinding[]>>> = {
    host: () => checkHost(context),
    engine: () => checkEngine(context, looks),
    compose: () => checkCompose(context, looks),
    project: () => checkProjectFile(context, looks),
    clock: () => checkClock(context, looks, request.timeServers, patience),
    disks: () => checkDisks(context, looks),
    memory: () => checkMemory(context, looks),
    ports: () => checkPorts(context, looks),
    poet: () => checkPoets(context, looks),
    images: () => checkImages(looks),
    keys: () => checkKeys(context, looks),
    files: () => checkFiles(context, looks),
    updaters: () => checkUpdaters(looks),
  };
  const found = await Promise.all(
    Object.entries(checks).map(([area, check]) => runCheck(context, area as DoctorArea, check)),
  );
  const findings = inReportOrder(found.flat());
  return {
    at: context.clock.now(),
    ...(project.kind === 'read'
      ? { project: { name: project.project.name, network: project.project.network.name } }
      : {}),
    findings,
    exitCode: doctorExitCode(findings),
    looks,
  };
}

function shareLooks(context: Context, project: SharedLooks['project'], patience: Patience): SharedLooks {
  const engine = once(() => lookAtEngine(context, patience));
  const data = once(async () =>
    project.kind === 'read' ? lookAtAllData(context, project.project.identities) : [],
  );
  return {
    project,
    engine,
    containers: once(async () => lookAtContainers(context, await engine(), patience)),
    observation: once(async () => observeForDoctor(context, project, await engine(), patience)),
    poets: once(() => askPoets(context, project, patience)),
    data,
    hanging: once(async () => {
      if (project.kind !== 'read') return [];
      const { data: folder } = project.project.node;
      const [node, all] = await Promise.all([nodeDataAnswers(context, folder), data()]);
      return [
        ...(node ? [] : [folder]),
        ...all.filter(({ seen }) => seen === 'late').map(({ path }) => path),
      ];
    }),
  };
}

async function runCheck(
  context: Context,
  area: DoctorArea,
  check: () => Promise<readonly DoctorFinding[]>,
): Promise<readonly DoctorFinding[]> {
  try {
    const found = await inTime(context, check(), CHECK_MS);
    if (found !== undefined) return found;
    return [
      finding('check-unknown', {
        area,
        subject: area,
        message: 'This check did not come to an end: something that it asked hangs',
        evidence: `no result within ${CHECK_MS / 1000} s`,
        measured: { limitMs: CHECK_MS },
        remedy: 'sudo dmesg | tail -50   tells of disks and shares that hang',
      }),
    ];
  } catch (error) {
    return [
      finding('check-unknown', {
        area,
        subject: area,
        message: 'This check could not be made',
        evidence: error instanceof Error ? error.message : String(error),
        remedy: 'With sudo it may see more: sudo smesh-compose doctor',
      }),
    ];
  }
}
