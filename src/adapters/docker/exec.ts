import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ExecOptions, ExecResult } from '../../ports/docker.ts';
import { BoundedText, FrameDecoder } from './frames.ts';

const DEFAULT_OUTPUT_BYTES = 64 * 1024;

/** Output of a running command or container, read until its end or until the time is up. */
export async function collectOutput(
  stream: NodeJS.ReadableStream,
  maxOutputBytes: number = DEFAULT_OUTPUT_BYTES,
  onOutput?: (text: string, stream: 'stdout' | 'stderr') => void,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly truncated: boolean }> {
  const frames = new FrameDecoder();
  const output = { stdout: new BoundedText(maxOutputBytes), stderr: new BoundedText(maxOutputBytes) };
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  try {
    for await (const chunk of stream) {
      for (const { stream: from, payload } of frames.push(Buffer.from(chunk))) {
        output[from].push(payload);
        onOutput?.(decoders[from].write(payload), from);
      }
    }
  } catch (error) {
    // Ended by our own time limit: what came until then is the answer.
    if ((error as Error).name !== 'AbortError') throw error;
  }
  return {
    stdout: output.stdout.text,
    stderr: output.stderr.text,
    truncated: output.stdout.truncated || output.stderr.truncated,
  };
}

/** See DockerPort.exec. The API cannot end an exec: after the time limit its command goes on inside. */
export async function execInContainer(
  docker: Docker,
  container: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const limit = AbortSignal.timeout(options.timeoutMs);
  try {
    const exec = await docker.getContainer(container).exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: limit,
      ...(options.user === undefined ? {} : { User: options.user }),
    });
    const stream = await exec.start({ Detach: false, Tty: false, abortSignal: limit });
    const output = await collectOutput(stream, options.maxOutputBytes);
    if (limit.aborted) return { ...output, timedOut: true };
    const exitCode = await exitCodeOf(exec, limit);
    return exitCode === undefined ? { ...output, timedOut: true } : { ...output, timedOut: false, exitCode };
  } catch (error) {
    if (limit.aborted) return { stdout: '', stderr: '', truncated: false, timedOut: true };
    throw error;
  }
}

/** The engine notes the exit code an instant after it has closed the output. */
async function exitCodeOf(exec: Docker.Exec, limit: AbortSignal): Promise<number | undefined> {
  while (!limit.aborted) {
    const state = await exec.inspect({ abortSignal: limit });
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    await sleep(10, undefined, { signal: limit }).catch(() => undefined);
  }
  return undefined;
}
