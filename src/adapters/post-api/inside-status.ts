import { parseServiceStatus, type ServiceStatus } from '../../domain/proving/service-status.ts';
import type { DockerPort } from '../../ports/docker.ts';

/** Exit codes of the script below. */
const REFUSED = 7;
const NOT_HTTP = 8;
const SILENT = 28;

/** Head and body are a few hundred bytes. */
const LONGEST_ANSWER = 8192;

/**
 * Asks with what is in the official image: bash, and nothing else (spacemesh.md §3.6, images have no curl). HTTP/1.0
 * makes the service close the connection at the end. One `read` takes all of it: `-t` limits the whole, `-n` the size,
 * and a zero byte, which bash would otherwise drop from the middle of a word, ends it as nothing that the service sends.
 */
function script(port: number, seconds: number): string {
  return [
    'LC_ALL=C',
    `exec 3<>/dev/tcp/127.0.0.1/${port} || exit ${REFUSED}`,
    String.raw`printf 'GET /status HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3`,
    `IFS= read -r -d '' -n ${LONGEST_ANSWER} -t ${seconds} answer <&3`,
    'ended=$?',
    `[ $ended -gt 128 ] && exit ${SILENT}`,
    `[ $ended -eq 0 ] && exit ${NOT_HTTP}`,
    `printf '%s' "$answer"`,
  ].join('\n');
}

/** Time for the engine to start the command, beside the wait for the service. */
const EXEC_MS = 5_000;

/** Asks `GET /status` from inside the container. Never rejects. */
export async function askInside(
  docker: Pick<DockerPort, 'exec'>,
  containerId: string,
  port: number,
  timeoutMs: number,
): Promise<ServiceStatus> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  let result: Awaited<ReturnType<DockerPort['exec']>>;
  try {
    result = await docker.exec(containerId, ['bash', '-c', script(port, seconds)], {
      timeoutMs: seconds * 1000 + EXEC_MS,
      maxOutputBytes: LONGEST_ANSWER,
    });
  } catch (error) {
    // Not running, paused, gone: in the engine's words.
    return { kind: 'unreachable', reason: (error as Error).message };
  }
  if (result.timedOut) return { kind: 'unreachable', reason: 'the engine did not run the check in time' };
  if (result.exitCode === REFUSED) return { kind: 'refused' };
  if (result.exitCode === SILENT) return { kind: 'no-answer' };
  if (result.exitCode === NOT_HTTP) return { kind: 'malformed', reason: 'not HTTP' };
  if (result.exitCode !== 0) {
    const said = result.stderr.trim() || result.stdout.trim();
    return { kind: 'unreachable', reason: `the check ended with ${result.exitCode}: ${said.slice(0, 200)}` };
  }
  if (result.truncated) return { kind: 'malformed', reason: 'a long answer' };
  // Closed without a word: it may be ending just now.
  if (result.stdout === '') return { kind: 'no-answer' };
  return parseHttpAnswer(result.stdout);
}

/** Head and body as the service sent them. What was cut off is no answer, whatever it reads like. */
export function parseHttpAnswer(answer: string): ServiceStatus {
  const [, head = '', body] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(answer) ?? [];
  const [, code] = /^HTTP\/1\.[01] (\d{3})(?: |\r?\n|$)/.exec(head) ?? [];
  if (code === undefined || body === undefined) return { kind: 'malformed', reason: 'not HTTP' };
  if (code !== '200') return { kind: 'malformed', reason: `HTTP ${code}` };
  if (/^transfer-encoding:/im.test(head)) return { kind: 'malformed', reason: 'an answer in chunks' };
  const lengths = [...head.matchAll(/^content-length:[ \t]*(.*?)[ \t]*\r?$/gim)].map(([, length]) => length);
  if (new Set(lengths).size > 1) return { kind: 'malformed', reason: 'an answer of two lengths' };
  const [length] = lengths;
  if (length !== undefined && length !== String(Buffer.byteLength(body))) return { kind: 'no-answer' };
  return parseServiceStatus(body);
}
