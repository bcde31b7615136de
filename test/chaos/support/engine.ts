import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../../helpers/run-cli.ts';

const run = promisify(execFile);

/** iproute2 is not everywhere, perl is on every Debian: SIOCSIFFLAGS with IFF_UP and IFF_RUNNING. */
const LOOPBACK_UP =
  'ip link set lo up 2>/dev/null || perl -e \'socket(S,2,2,0) or die; ioctl(S,0x8914,pack("a16s","lo",65)) or die $!\'';

/**
 * Holds the network namespace of the engine. When whoever started it is gone, however it went, its standard input ends,
 * and it takes the engine down: a dockerd that nobody knows of would keep a dozen containers running for ever.
 */
const HOLDER = `${LOOPBACK_UP} && echo ready && cat >/dev/null; [ -e "$1" ] && kill "$(cat "$1")"; sleep 1`;

/** A stop that takes longer has not worked. */
const STOP_WITHIN_MS = 60_000;
const START_WITHIN_MS = 60_000;

/**
 * A Docker engine of its own: own data, socket and network namespace, so that it can be restarted in the middle of
 * everything without harm to anybody else's containers, and its bridges and firewall rules are nobody else's. Needs root
 * and a dockerd on this machine. What is to reach its published ports has to run `inside`.
 */
export class ChaosEngine {
  readonly folder: string;
  readonly #holder: ChildProcess;
  #daemon: ChildProcess | undefined;

  private constructor(folder: string, holder: ChildProcess) {
    this.folder = folder;
    this.#holder = holder;
  }

  static async start(): Promise<ChaosEngine> {
    // Short, in /tmp: paths of sockets have at most 107 bytes.
    const folder = mkdtempSync(join(tmpdir(), 'sce-'));
    const holder = spawn('unshare', ['--net', 'bash', '-c', HOLDER, 'holder', join(folder, 'pid')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`no network namespace (exit ${code}): is this root?`)));
      holder.stdout?.once('data', () => resolve());
    });
    const engine = new ChaosEngine(folder, holder);
    writeFileSync(join(folder, 'daemon.json'), '{}');
    try {
      await engine.startDaemon();
    } catch (error) {
      await engine.remove();
      throw error;
    }
    return engine;
  }

  get endpoint(): string {
    return `unix://${this.folder}/d.sock`;
  }

  /** Environment for whoever talks to this engine. */
  get env(): Record<string, string> {
    return cleanEnvironment({ DOCKER_HOST: this.endpoint, DOCKER_CONTEXT: undefined });
  }

  /** The command line that runs another one where the engine's published ports are on 127.0.0.1. */
  inside(...command: readonly string[]): { readonly program: string; readonly args: readonly string[] } {
    return { program: 'nsenter', args: [`--net=/proc/${this.#holder.pid}/ns/net`, ...command] };
  }

  /** `docker …`; rejects with its stderr. */
  async docker(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('docker', args, { env: this.env, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** The same with what it says on stderr. */
  async everythingOf(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run('docker', args, { env: this.env, maxBuffer: 64 * 1024 * 1024 });
    return stdout + stderr;
  }

  async startDaemon(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const { program, args } = this.inside(
      'dockerd',
      ...['--data-root', join(this.folder, 'data')],
      ...['--exec-root', join(this.folder, 'exec')],
      ...['--pidfile', join(this.folder, 'pid')],
      ...['--config-file', join(this.folder, 'daemon.json')],
      ...['--host', this.endpoint],
    );
    const daemon = spawn(program, args, { stdio: ['ignore', log, log] });
    this.#daemon = daemon;
    const until = Date.now() + START_WITHIN_MS;
    while (!(await this.answers())) {
      if (daemon.exitCode !== null || Date.now() > until) {
        throw new Error(`the engine does not answer:\n${this.#lastWords()}`);
      }
      await sleep(100);
    }
  }

  async answers(): Promise<boolean> {
    return this.docker('version', '--format', '{{.Server.Version}}').then(
      () => true,
      () => false,
    );
  }

  /** As the system's shutdown does it: containers get their SIGTERM, then the engine goes. */
  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
    daemon.kill('SIGTERM');
    const late = setTimeout(() => daemon.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(late);
    this.#daemon = undefined;
  }

  /** Brings images of the engine that everybody uses. */
  async load(images: readonly string[]): Promise<void> {
    const archive = join(this.folder, 'images.tar');
    await run('docker', ['save', '-o', archive, ...images]);
    await this.docker('load', '--quiet', '--input', archive);
    rmSync(archive);
  }

  async remove(): Promise<void> {
    const left = await this.docker('ps', '-aq').catch(() => '');
    if (left !== '') await this.docker('rm', '-f', ...left.split('\n')).catch(() => '');
    await this.stopDaemon();
    const gone = new Promise<void>((resolve) => {
      if (this.#holder.exitCode !== null) resolve();
      this.#holder.once('exit', () => resolve());
    });
    this.#holder.stdin?.end();
    await gone;
    // Sandboxes of containers and layers stay mounted where a daemon was killed.
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    for (const line of mounts.reverse()) {
      const [, place = ''] = line.split(' ');
      if (place.startsWith(`${this.folder}/`)) await run('umount', ['--lazy', place]).catch(() => {});
    }
    if (process.env.SMESH_KEEP_TEMP !== '1') rmSync(this.folder, { recursive: true, force: true });
  }

  #lastWords(): string {
    const log = join(this.folder, 'log');
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-12).join('\n') : '';
  }
}
