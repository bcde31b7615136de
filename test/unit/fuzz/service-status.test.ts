import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedText } from '../../../src/adapters/docker/frames.ts';
import { askByHttp } from '../../../src/adapters/post-api/http-status.ts';
import { askInside, parseHttpAnswer } from '../../../src/adapters/post-api/inside-status.ts';
import { parseServiceStatus, type ServiceStatus } from '../../../src/domain/proving/service-status.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { FUZZ_TIMEOUT_MS, fuzz, oddJson, runsOf } from './support/fuzz.ts';
import { conducts, type KnownConduct, listen } from './support/odd-service.ts';

const KINDS = ['idle', 'proving', 'done-proving', 'no-answer', 'refused', 'unreachable', 'malformed'];

/** Time for a busy machine beside the time limit of the question. */
const SLACK_MS = 3000;

const IDLE_ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"Idle"';
/** Which chance alone might leave out. */
const PLAINLY_IDLE: KnownConduct = {
  waits: true,
  pieces: [Buffer.from(IDLE_ANSWER)],
  after: 'end',
  isIdle: true,
};

/** For those that answer: nobody waits for it. */
const AMPLE_MS = 10_000;

function expectStatus(status: ServiceStatus): void {
  expect(KINDS).toContain(status.kind);
  if (status.kind !== 'malformed' && status.kind !== 'unreachable') return;
  expect(status.reason.length).toBeLessThan(300);
}

/** Asks a service that behaves in a way that is known; its answer must be that of a service that says `Idle`, or not. */
async function expectRightAnswer(
  conduct: KnownConduct,
  timeoutMs: number,
  ask: (port: number) => Promise<ServiceStatus>,
): Promise<ServiceStatus> {
  const service = await listen(conduct);
  try {
    const began = performance.now();
    const status = await ask(service.port);
    expect(performance.now() - began).toBeLessThan(timeoutMs + SLACK_MS);
    expectStatus(status);
    if (conduct.isIdle) expect(status.kind).toBe('idle');
    return status;
  } finally {
    service.close();
    expect(service.written()).toBeLessThan(64 * 2 ** 20);
  }
}

/** What was sent, when it was sent whole: the only thing that may be taken for idle. */
function mayBeIdle({ pieces }: KnownConduct): boolean {
  const sent = Buffer.concat([...pieces]).toString('latin1');
  const [head = '', ...rest] = sent.split('\r\n\r\n');
  if (!/^HTTP\/1\.[01] 200/.test(head)) return false;
  const body = rest.join('\r\n\r\n');
  return /^content-length: 6\r?$/m.test(head)
    ? body.startsWith('"Idle"')
    : /^(6\r\n)?"Idle"(\r\n0\r\n\r\n)?$/.test(body);
}

describe('the body of /status, whatever it is', () => {
  it('is idle only when it is what a service sends', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      oddJson.map((value) => JSON.stringify(value) ?? ''),
      oddJson.map((value) => JSON.stringify({ Proving: value })),
      fc
        .tuple(fc.nat(5), fc.string({ maxLength: 2 }))
        .map(([at, put]) => `"${'Idle'.slice(0, at)}${put}${'Idle'.slice(at)}"`),
      fc.nat(10_000).map((depth) => '['.repeat(depth)),
    );
    fc.assert(
      fc.property(texts, (body) => {
        const status = parseServiceStatus(body);
        expectStatus(status);
        expect(status.kind === 'idle').toBe(body === '"Idle"');
        expect(status.kind === 'done-proving').toBe(body === '"DoneProving"');
        if (status.kind !== 'proving') return;
        const { start, end } = status.nonces;
        for (const number of [start, end, status.position, end - start]) {
          expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
        }
        expect(JSON.parse(body)).toEqual({ Proving: expect.objectContaining({ position: status.position }) });
      }),
      fuzz(2000),
    );
  });

  it('read by a shell is idle only behind a whole head', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(conducts, ({ pieces, isIdle, ...conduct }) => {
        const bytes = Buffer.concat([...pieces]);
        const status = parseHttpAnswer(bytes.toString('utf8'));
        expectStatus(status);
        if (isIdle) expect(status.kind).toBe('idle');
        if (status.kind === 'idle') expect(mayBeIdle({ pieces, isIdle, ...conduct })).toBe(true);
      }),
      fuzz(1000),
    );
  });
});

describe('a post-service that sends anything', () => {
  it('is understood at its address, in time, and idle only when it says so', {
    timeout: FUZZ_TIMEOUT_MS,
  }, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(conducts, { minLength: 8, maxLength: 8 }), async (several) => {
        await Promise.all(
          several.map(async (conduct) => {
            const timeoutMs = conduct.isIdle ? AMPLE_MS : 150;
            const ask = (port: number) => askByHttp('127.0.0.1', port, timeoutMs);
            const { kind } = await expectRightAnswer(conduct, timeoutMs, ask);
            if (kind === 'idle') expect(mayBeIdle(conduct), JSON.stringify(conduct)).toBe(true);
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
          }),
        );
      }),
      fuzz(12),
    );
    expect(seen.get('idle')).toBeGreaterThan(runsOf(12) / 6);
    expect(seen.get('malformed')).toBeGreaterThan(runsOf(12));
    expect(seen.get('no-answer')).toBeGreaterThan(runsOf(12) / 4);
  });

  it('is understood from inside its container by bash alone', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(conducts, { minLength: 12, maxLength: 12 }), async (chosen) => {
        const several = [PLAINLY_IDLE, ...chosen];
        await Promise.all(
          several.map(async (conduct) => {
            const timeoutMs = conduct.isIdle ? AMPLE_MS : 1000;
            const ask = (port: number) => askInside({ exec: runHere }, 'here', port, timeoutMs);
            const { kind } = await expectRightAnswer(conduct, timeoutMs + 5000, ask);
            if (kind === 'idle') expect(mayBeIdle(conduct), JSON.stringify(conduct)).toBe(true);
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
          }),
        );
      }),
      fuzz(2),
    );
    expect(seen.get('idle')).toBeGreaterThan(0);
  });

  it('that is not there is refused in both ways', async () => {
    const service = await listen({ waits: true, pieces: [], after: 'end' });
    service.close();
    expect(await askByHttp('127.0.0.1', service.port, 1000)).toEqual({ kind: 'refused' });
    expect(await askInside({ exec: runHere }, 'here', service.port, 1000)).toEqual({ kind: 'refused' });
  });
});

/** The same command with the shell of this machine: the container's network is the host's. */
const runHere: DockerPort['exec'] = (_, [command = '', ...args], { timeoutMs, maxOutputBytes = 65_536 }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: new BoundedText(maxOutputBytes), stderr: new BoundedText(maxOutputBytes) };
    child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const { stdout, stderr } = output;
      const said = {
        stdout: stdout.text,
        stderr: stderr.text,
        truncated: stdout.truncated || stderr.truncated,
      };
      resolve(exitCode === null ? { ...said, timedOut: true } : { ...said, timedOut: false, exitCode });
    });
  });
