import { createServer } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ZodError } from 'zod';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import { parseInspect } from '../../../src/adapters/docker/inspect.ts';
import { CONTAINER_STATES, type ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { SmeshError } from '../../../src/domain/errors.ts';
import { judgeStop } from '../../../src/domain/proving/stop-risk.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { idOf } from '../../../src/usecases/lifecycle/judge-look.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { FUZZ_TIMEOUT_MS, fuzz, mutationsOf, oddJson, runsOf } from './support/fuzz.ts';
import { proverInspect } from './support/inspect-answer.ts';

const valid = proverInspect();

const odd = fc.oneof(
  oddJson,
  fc.constantFrom<unknown>(...CONTAINER_STATES, 'Running', 'healthy', 'hibernating', 'stopped', 'exited (0)'),
  fc.constantFrom<unknown>(
    true,
    false,
    -1,
    '0001-01-01T00:00:00Z',
    '2026-11-21T03:25:06.286891607Z',
    '2026-99-99',
  ),
);

/** Anything, but mostly about the state, which decides whether there is something to lose. */
const answers = fc.oneof(
  mutationsOf(valid, odd),
  mutationsOf(valid.State, odd).map((State) => ({ ...valid, State })),
  mutationsOf(valid.HostConfig, odd).map((HostConfig) => ({ ...valid, HostConfig })),
  // The flags of a future engine, and of one that contradicts itself.
  fc
    .record({
      Status: fc.oneof(fc.constantFrom(...CONTAINER_STATES), fc.constantFrom('hibernating', 'Exited', '')),
      Running: fc.constantFrom(true, false, null, undefined),
      Paused: fc.constantFrom(true, false, null, undefined),
      Restarting: fc.constantFrom(true, false, null, undefined),
      Frozen: fc.boolean(),
    })
    .map((flags) => ({ ...valid, State: { ...valid.State, ...flags } })),
  oddJson,
);

function read(answer: unknown): ObservedContainer | undefined {
  try {
    return parseInspect(answer);
  } catch (error) {
    if (error instanceof ZodError) return undefined;
    throw error;
  }
}

/** Surely not running: the engine says so in a word that is known, and no flag says otherwise. */
function surelyStopped(answer: unknown): boolean {
  const state = (answer as { State?: Record<string, unknown> }).State ?? {};
  return (
    ['created', 'restarting', 'removing', 'exited', 'dead'].includes(String(state['Status'])) &&
    state['Paused'] !== true &&
    (state['Running'] !== true || state['Status'] === 'restarting')
  );
}

describe('what the engine says of a container, whatever it says', () => {
  it('is read or refused, and never taken for a container that is down', { timeout: FUZZ_TIMEOUT_MS }, () => {
    let known = 0;
    let stopped = 0;
    fc.assert(
      fc.property(answers, (answer) => {
        const found = read(answer);
        if (found === undefined) return;
        known += 1;
        expect(CONTAINER_STATES).toContain(found.state);
        for (const at of [found.createdAt, found.startedAt, found.finishedAt]) {
          if (at !== undefined) new Date(at).toISOString();
        }
        for (const { hostPort } of found.ports) expect(hostPort > 0 && hostPort < 65_536).toBe(true);
        idOf(found, { identities: [] });
        const risk = judgeStop({
          now: 0,
          layerMs: 1,
          container: found.state,
          wanted: 'unknown',
          node: 'unknown',
        });
        if (risk.safe) {
          stopped += 1;
          expect(surelyStopped(answer), JSON.stringify((answer as typeof valid).State)).toBe(true);
        }
      }),
      fuzz(2500),
    );
    expect(known).toBeGreaterThan(runsOf(2500) / 10);
    expect(stopped).toBeGreaterThan(runsOf(2500) / 100);
  });

  it('ends a command in words, not with a stack', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    let answer: unknown = valid;
    const docker = await engineOf(() => answer);
    await fc.assert(
      fc.asyncProperty(answers, async (next) => {
        answer = next;
        await orSmeshError(() => docker.inspect('x'));
        await orSmeshError(() => docker.containers());
      }),
      fuzz(80),
    );
  });
});

async function orSmeshError(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(SmeshError);
  }
}

/** What pretends to be an engine, for answers that a real one does not give. */
async function engineOf(answer: () => unknown): Promise<DockerPort> {
  const socket = join(tempFolder('fuzz-engine'), 'd.sock');
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    const listed = /\/containers\/json/.test(request.url ?? '');
    response.end(JSON.stringify(listed ? [{ Id: 'x' }] : answer()) ?? '');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return createDocker({ host: `unix://${socket}`, cliEnvironment: {} });
}
