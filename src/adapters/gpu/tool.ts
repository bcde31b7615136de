import { spawn } from 'node:child_process';
import type { ToolSaid } from '../../domain/gpu/facts.ts';

/** More than any list of cards. */
const MOST_OUTPUT = 256 * 1024;

/**
 * Runs a vendor's tool and answers in time, whatever it does: one that waits in the kernel for a dead card cannot even be
 * killed, so it is left behind and nobody waits for it.
 */
export function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs: number,
): Promise<ToolSaid> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    const end = (said: ToolSaid) => {
      clearTimeout(timer);
      resolve(said);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      end({ kind: 'late' });
    }, timeoutMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < MOST_OUTPUT) output[name] += text;
      });
    }
    child.once('error', () => end({ kind: 'absent' }));
    child.once('close', (code) => end({ kind: 'said', exitCode: code ?? 1, ...output }));
  });
}
