import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { freemem, machine, release, totalmem } from 'node:os';
import process from 'node:process';
import type { HostFacts } from '../../domain/doctor/host.ts';
import type { HostPort, ProgramAnswer } from '../../ports/host.ts';
import { lookAtPlace } from './place.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** HostPort of the machine that this process runs on. */
export function createHost(env: Environment): HostPort {
  // Programs in sbin are not in the PATH of everybody; messages must be in one language.
  const programEnv = { ...env, PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  const ask = (program: string, args: readonly string[], timeoutMs: number) =>
    runProgram(program, args, programEnv, timeoutMs);
  return {
    facts: readFacts,
    place: lookAtPlace,
    answers: (path, timeoutMs) => opens(path, programEnv, timeoutMs),
    timedatectl: (timeoutMs) => ask('timedatectl', ['show'], timeoutMs),
    chronyc: (timeoutMs) => ask('chronyc', ['-n', 'tracking'], timeoutMs),
    smartctl: (disk, timeoutMs) =>
      ask('smartctl', ['--json=c', '-n', 'standby', '-H', '-A', `/dev/${disk}`], timeoutMs),
  };
}

function runProgram(
  program: string,
  args: readonly string[],
  env: Environment,
  timeoutMs: number,
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const options = { env, timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: 1024 * 1024 };
    const child = execFile(program, [...args], options, (error, stdout) => {
      if (error === null) return resolve({ kind: 'said', exitCode: 0, text: stdout });
      if (error.killed === true) return resolve({ kind: 'late' });
      if (typeof error.code !== 'number') return resolve({ kind: 'absent' });
      resolve({ kind: 'said', exitCode: error.code, text: stdout });
    });
    child.stdin?.end();
  });
}

/** A process that hangs in the kernel cannot even be killed: it is left behind, and nobody waits for it. */
function opens(path: string, env: Environment, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('head', ['-c', '1', '--', path], { env, stdio: 'ignore' });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      resolve(false);
    }, timeoutMs);
    const answered = () => {
      clearTimeout(timer);
      resolve(true);
    };
    child.once('exit', answered);
    // Without `head` nothing is known; what follows will see.
    child.once('error', answered);
  });
}

async function readText(path: string): Promise<string | undefined> {
  // Other systems and hardened hosts have not all of these: unknown is an answer.
  return readFile(path, 'utf8').catch(() => undefined);
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

async function readFacts(): Promise<HostFacts> {
  const [memory, cpu, files, controllers, instances, watches] = await Promise.all([
    readText('/proc/meminfo'),
    readText('/proc/cpuinfo'),
    readText('/proc/sys/fs/file-nr'),
    readText('/sys/fs/cgroup/cgroup.controllers'),
    readNumber('/proc/sys/fs/inotify/max_user_instances'),
    readNumber('/proc/sys/fs/inotify/max_user_watches'),
  ]);
  const kibibytes = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(memory ?? '')?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const [swapTotal, swapFree] = [kibibytes('SwapTotal'), kibibytes('SwapFree')];
  const flags = /^flags\s*:(.*)$/m.exec(cpu ?? '')?.[1];
  const [open, , most] = (files ?? '').trim().split(/\s+/).map(Number);
  const linux = process.platform === 'linux';
  return {
    platform: process.platform,
    architecture: machine(),
    kernel: release(),
    runtime: process.version,
    ...(linux ? { cgroupVersion: controllers === undefined ? 1 : 2 } : {}),
    totalMemoryBytes: totalmem(),
    availableMemoryBytes: kibibytes('MemAvailable') ?? freemem(),
    ...(swapTotal === undefined ? {} : { swapTotalBytes: swapTotal }),
    ...(swapFree === undefined ? {} : { swapFreeBytes: swapFree }),
    ...(flags === undefined ? {} : { aes: flags.split(' ').includes('aes') }),
    ...(open === undefined || most === undefined || Number.isNaN(most)
      ? {}
      : { openFiles: open, mostOpenFiles: most }),
    ...(instances === undefined ? {} : { inotifyInstances: instances }),
    ...(watches === undefined ? {} : { inotifyWatches: watches }),
  };
}
