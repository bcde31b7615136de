import { parseServiceStatus, type ServiceStatus } from '../../domain/proving/service-status.ts';
import type { DockerPort } from '../../ports/docker.ts';

/** Exit codes of the script below. */
const REFUSED = 7;
const SILENT = 28;

/**
 * Asks with what is in the official image: bash, and nothing else (spacemesh.md §5, images have no curl). HTTP/1.0 makes
 * the service close the connection at the end; `read -t` ends the wait when it does not answer.
 */
function script(port: number, seconds: number): string {
  return [
    `exec 3<>/dev/tcp/127.0.0.1/${port} || exit ${REFUSED}`,
    String.raw`printf 'GET /status HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3`,
    `IFS= read -r -t ${seconds} line <&3 || exit ${SILENT}`,
    String.raw`printf '%s\n' "$line"`,
    `while IFS= read -r -t ${seconds} line <&3; do printf '%s\\n' "$line"; done`,
    `printf '%s' "$line"`,
  ].join('\n');
}

/** Time for the engine to start the command, beside the wait for the service. */
const EXEC_MS = 5_000;

/** Asks `GET /status` from inside the container. Never rejects. */
export async function askInside(
  docker: DockerPort,
  containerId: string,
  port: number,
  timeoutMs: number,
): Promise<ServiceStatus> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  let result: Awaited<ReturnType<DockerPort['exec']>>;
  try {
    result = await docker.exec(containerId, ['bash', '-c', script(port, seconds)], {
      timeoutMs: seconds * 1000 + EXEC_MS,
      maxOutputBytes: 8192,
    });
  } catch (error) {
    // Not running, paused, gone: in the engine's words.
    return { kind: 'unreachable', reason: (error as Error).message };
  }
  if (result.timedOut) return { kind: 'unreachable', reason: 'the engine did not run the check in time' };
  if (result.exitCode === REFUSED) return { kind: 'refused' };
  if (result.exitCode === SILENT) return { kind: 'no-answer' };
  if (result.exitCode !== 0) {
    const said = result.stderr.trim() || result.stdout.trim();
    return { kind: 'unreachable', reason: `the check ended with ${result.exitCode}: ${said.slice(0, 200)}` };
  }
  return parseHttpAnswer(result.stdout);
}

/** Head and body as the service sent them. */
export function parseHttpAnswer(answer: string): ServiceStatus {
  const [head = '', ...rest] = answer.split(/\r?\n\r?\n/);
  const [, code] = /^HTTP\/1\.[01] (\d{3})/.exec(head) ?? [];
  if (code === undefined) return { kind: 'malformed', reason: 'not HTTP' };
  if (code !== '200') return { kind: 'malformed', reason: `HTTP ${code}` };
  return parseServiceStatus(rest.join('\n\n').trim());
}
