import { DEFAULT_TIME_SERVERS, parseTimeServer } from '../domain/doctor/time-server.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { TimeServer } from '../ports/clock-sources.ts';
import { renderDoctor } from '../ui/doctor.ts';
import { doctorDocument } from '../ui/doctor-json.ts';
import { renderReport } from '../ui/doctor-report.ts';
import { type Examination, type ExamineRequest, examine } from '../usecases/doctor/examine.ts';
import { writeReport } from '../usecases/doctor/report.ts';
import { version } from '../version.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { durationOption, integerOption, listOption, textOption } from './options.ts';

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_LOG_LINES = 500;

/**
 * `doctor`: looks at everything that a project stands on, and works without one. Changes nothing.
 *
 * Exit codes: 0 nothing worse than warnings, 3 errors, 4 Docker or Compose cannot be used (the rest is printed all the
 * same). `doctor report` ends with 0 when the archive was written.
 */
export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'look at host, engine, clock, disks, PoETs, images and keys; write a report for a bug',
  description:
    'Changes nothing; works outside a project, too. Exit code 0: nothing worse than warnings, 3: errors, 4: Docker or Compose cannot be used. Codes are explained in docs/guide/doctor.md. With `report` it writes an archive for a bug report, from which keys, accounts, addresses and passwords have been blanked.',
  arguments: [{ name: '[action]', summary: '`report`: write an archive for a bug report' }],
  options: [
    {
      flags: '--ntp <server...>',
      summary: `time servers to compare the clock with, HOST[:PORT] (default: ${DEFAULT_TIME_SERVERS.join(', ')})`,
    },
    { flags: '--timeout <duration>', summary: 'for each question to a server elsewhere (default: 5s)' },
    {
      flags: '--out <file>',
      summary: 'with report: where to write it (default: smesh-report-<time>.tar.gz here)',
    },
    { flags: '--lines <n>', summary: 'with report: lines of log of each service (default: 500)' },
  ],
  examples: [
    { command: 'smesh-compose doctor', summary: 'what is wrong, and what to do about it' },
    { command: 'smesh-compose doctor --ntp 192.168.1.1', summary: 'a time server of your own network' },
    { command: 'smesh-compose doctor --json || mail …', summary: 'from cron: exit code 3 means an error' },
    { command: 'smesh-compose doctor report', summary: 'an archive to send with a bug report' },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const [action] = invocation.arguments;
  if (action !== undefined && action !== 'report') {
    throw new SmeshError(
      'bad-action',
      ExitCode.usage,
      `doctor knows no ${JSON.stringify(action)}; there is only: doctor, doctor report`,
    );
  }
  const request: ExamineRequest = {
    timeServers: timeServers(invocation),
    serverMs: durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS,
  };
  const reporting = ['out', 'lines'].find((name) => textOption(invocation, name) !== undefined);
  if (action === undefined && reporting !== undefined) {
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--${reporting} belongs to: smesh-compose doctor report`,
    );
  }
  const logLines = integerOption(invocation, 'lines', { min: 0, max: 100_000 }) ?? DEFAULT_LOG_LINES;
  const examination = await examine(context, request);
  if (action === 'report') {
    const out = textOption(invocation, 'out');
    return report(context, examination, { logLines, ...(out === undefined ? {} : { out }) });
  }
  const { findings, exitCode, project, at } = examination;
  const { out, directory, json } = context;
  const named = project === undefined ? {} : { project };
  if (json) out.json(doctorDocument({ at, exitCode, toolVersion: version, directory, ...named, findings }));
  else out.result(renderDoctor({ directory, ...named, findings }, out).join('\n'));
  return exitCode;
}

async function report(
  context: Context,
  examination: Examination,
  request: Parameters<typeof writeReport>[2],
): Promise<number> {
  const written = await writeReport(context, examination, request);
  if (context.json) context.out.json({ schemaVersion: 1, ...written });
  else context.out.result(renderReport(written).join('\n'));
  return ExitCode.ok;
}

function timeServers(invocation: Invocation): readonly TimeServer[] {
  return (listOption(invocation, 'ntp') ?? DEFAULT_TIME_SERVERS).map((text) => {
    const server = parseTimeServer(text);
    if (server !== undefined) return server;
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--ntp wants HOST or HOST:PORT, not ${JSON.stringify(text)}`,
    );
  });
}
