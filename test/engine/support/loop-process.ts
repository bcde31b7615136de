import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { cleanEnvironment, requireBuiltCli } from '../../helpers/run-cli.ts';
import { keepTranscript } from '../../helpers/transcripts.ts';

/** A `run --json` of the built program that goes on beside the test. */
export class LoopProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stdout = '';
  #stderr = '';

  constructor(folder: string, args: readonly string[] = []) {
    const words = ['run', '--json', ...args];
    const child = spawn(process.execPath, [requireBuiltCli(), ...words], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        keepTranscript(`smesh-compose ${words.join(' ')} → ${code ?? signal}`, this.#stdout + this.#stderr);
        resolve(code);
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** What it has said by now; the line that is being written is left out. */
  get lines(): readonly Readonly<Record<string, unknown>>[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  /** @returns its exit code; null: a signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.running) this.#child.kill(signal);
    return this.#ended;
  }
}
