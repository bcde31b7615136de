import { ExitCode } from '../domain/errors.ts';
import type { StatusReport } from '../domain/proving/status-report.ts';
import { renderStatus } from '../ui/status.ts';
import { statusDocument } from '../ui/status-json.ts';
import { renderWatch } from '../ui/watch.ts';
import { loadProject } from '../usecases/load-project.ts';
import { observeProject } from '../usecases/observe.ts';
import { type SwitchNote, switchNote } from '../usecases/poet-switch/note.ts';
import { jobsNote } from '../usecases/post-init/status-note.ts';
import { buildReport, nextSamples, type Samples } from '../usecases/status/report.ts';
import { askMachine, scheduleInputs } from '../usecases/status/schedule-inputs.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { durationOption, flagOption } from './options.ts';

const DEFAULT_INTERVAL_MS = 5000;
const LEAST_INTERVAL_MS = 500;
const DEFAULT_TIMEOUT_MS = 2000;

/**
 * `status`: node, epoch and every identity. Changes nothing and needs no lock.
 *
 * Exit codes, for cron: 0 all is well; 6 at least one problem (marked `!`): the node is down or not synced for long, a
 * proof is wanted but its service is down, stuck, paused or not connected, data is away, an identity is not known to the
 * node or cancelled; 4 the engine cannot be asked. Notices (marked `·`) do not count. `--watch` ends with 0 on Ctrl-C.
 */
export const statusCommand = defineCommand({
  name: 'status',
  summary: 'node, epoch and every identity in one table',
  description:
    'Asks the engine, the node and every post-service at once; one that is slow delays nobody. Exit code 0: all is well, 6: there is a problem (marked !), 4: Docker cannot be asked. --watch begins with the next deadline and shows who reads, who is held and who waits on each disk. With --json the document described in docs/reference/status-json.md.',
  options: [
    {
      flags: '-w, --watch',
      summary: 'disks as lanes, again and again until Ctrl-C; with --json a line per look',
    },
    { flags: '--interval <duration>', summary: 'time between two looks (default: 5s)' },
    { flags: '--timeout <duration>', summary: 'for each question to node and services (default: 2s)' },
    { flags: '-a, --all', summary: 'every identity, also of large projects' },
  ],
  examples: [
    { command: 'smesh-compose status', summary: 'one look' },
    { command: 'smesh-compose status --watch --interval 10s', summary: 'keep looking' },
    { command: 'smesh-compose status --json || mail …', summary: 'from cron: exit code 6 means a problem' },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const timeoutMs = durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS;
  const interval = durationOption(invocation, 'interval') ?? DEFAULT_INTERVAL_MS;
  const all = flagOption(invocation, 'all');
  const { project } = await loadProject(context);
  const { ports, clock, out, directory } = context;
  let samples: Samples = new Map();
  // Cores and memory do not change between two looks.
  const machine = askMachine(context, timeoutMs);
  const look = async (): Promise<StatusReport> => {
    const observation = await observeProject(ports, project, clock, { timeoutMs });
    const schedule = await scheduleInputs(context, project, await machine, observation);
    const built = buildReport({ directory, project, observation, samples, schedule });
    const jobs = built.engineAnswers ? await jobsNote(context, project) : undefined;
    const withJobs = jobs === undefined ? built : { ...built, findings: [...built.findings, jobs] };
    const report = withSwitch(withJobs, await switchNote(context));
    samples = nextSamples(samples, observation);
    return report;
  };
  const watching = flagOption(invocation, 'watch');
  const lines = (report: StatusReport) =>
    (watching ? renderWatch : renderStatus)(report, {
      // A redrawn line must not reach the last column: some terminals wrap it.
      columns: watching ? out.columns - 1 : out.columns,
      color: out.color,
      all,
      localOffsetMinutes: (at) => clock.localOffsetMinutes(at),
    });

  if (watching) {
    return watch(context, Math.max(interval, LEAST_INTERVAL_MS), look, lines);
  }
  const report = await look();
  const exitCode = exitCodeOf(report);
  if (context.json) out.json(statusDocument(report, exitCode));
  else out.result(lines(report).join('\n'));
  return exitCode;
}

async function watch(
  { out, clock, json, signal }: Context,
  interval: number,
  look: () => Promise<StatusReport>,
  lines: (report: StatusReport) => readonly string[],
): Promise<number> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const area = json ? undefined : out.live();
  for (;;) {
    // A look may take as long as the slowest engine: nobody waits for it after Ctrl-C.
    const report = await Promise.race([look(), aborted]);
    if (report === undefined) break;
    if (area === undefined) out.result(JSON.stringify(statusDocument(report, exitCodeOf(report))));
    else area.update(lines(report));
    await clock.sleep(interval, signal).catch(() => undefined);
  }
  area?.done();
  return ExitCode.ok;
}

/** A change of PoETs that is under way is no problem, and must not be forgotten. */
function withSwitch(report: StatusReport, note: SwitchNote | undefined): StatusReport {
  if (note === undefined) return report;
  const found = { code: 'poet-switch', severity: 'notice' as const, smeshers: [], services: [], ...note };
  return { ...report, findings: [...report.findings, found] };
}

function exitCodeOf({ engineAnswers, findings }: StatusReport): number {
  if (!engineAnswers) return ExitCode.environment;
  return findings.some(({ severity }) => severity === 'problem') ? ExitCode.unhealthy : ExitCode.ok;
}
