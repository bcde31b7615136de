import { expect, it } from 'vitest';
import type { EngineEvent } from '../../../src/ports/docker.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { JobEvents } from '../../../src/usecases/post-init/job-events.ts';

/* Who ended a container: from the engine's events alone, told at the times that a test wants. */

const MINUTE = 60_000;

type Told = readonly [at: number, event: EngineEvent];

async function after(told: readonly Told[]): Promise<JobEvents> {
  let now = 0;
  async function* events(): AsyncGenerator<EngineEvent> {
    for (const [at, event] of told) {
      now = at;
      yield event;
    }
  }
  const context = {
    signal: new AbortController().signal,
    clock: { now: () => now, sleep: async () => undefined, localOffsetMinutes: () => 0 },
    ports: { docker: async () => ({ events }) },
  } as unknown as Context;
  const heard = new JobEvents(context);
  await heard.listen('project');
  return heard;
}

const container = (action: string, containerId = 'a'): EngineEvent => ({
  ...{ kind: 'container', at: 0, action, containerId, name: containerId },
});

const connected: Told = [0, { kind: 'connected' }];

it('one that dies without a word from anybody ended by itself', async () => {
  const heard = await after([connected, [5 * MINUTE, container('die')]]);
  expect(heard.endedBy('a', 5 * MINUTE)).toBe('itself');
});

it('one that was told to end, and did within a batch, was ended by somebody; its neighbour was not', async () => {
  const heard = await after([connected, [MINUTE, container('kill')], [9 * MINUTE, container('die')]]);
  expect(heard.endedBy('a', 9 * MINUTE)).toBe('somebody');
  expect(heard.endedBy('b', 9 * MINUTE)).toBe('itself');
});

it('one that was told to end by an engine that goes down ended with it', async () => {
  const heard = await after([
    connected,
    [MINUTE, container('kill')],
    [MINUTE + 500, container('die')],
    [MINUTE + 4000, { kind: 'disconnected', reason: 'closed' }],
    [9 * MINUTE, { kind: 'connected' }],
  ]);
  expect(heard.endedBy('a', MINUTE + 500)).toBe('engine');
});

it('what a crashed engine finds dead when it is back ended with it, too', async () => {
  const heard = await after([
    connected,
    [MINUTE, { kind: 'disconnected', reason: 'reset' }],
    [30 * MINUTE, { kind: 'connected' }],
  ]);
  expect(heard.endedBy('a', 30 * MINUTE + 2000)).toBe('engine');
  expect(heard.endedBy('a', 60 * MINUTE)).toBe('itself');
});

it('one that was begun again has nothing to do with what became of it before', async () => {
  const stopped = await after([connected, [MINUTE, container('kill')], [3 * MINUTE, container('start')]]);
  expect(stopped.endedBy('a', 4 * MINUTE, 3 * MINUTE)).toBe('itself');
  const back = await after([
    connected,
    [MINUTE, { kind: 'disconnected', reason: 'reset' }],
    [2 * MINUTE, { kind: 'connected' }],
  ]);
  // Its card is gone since: that is no reason to begin it again and again.
  expect(back.endedBy('a', 2 * MINUTE + 8000, 2 * MINUTE + 3000)).toBe('itself');
  expect(back.endedBy('a', 2 * MINUTE + 500, 0)).toBe('engine');
});
