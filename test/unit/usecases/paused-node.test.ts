import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { currentOrNextGap, epochClock } from '../../../src/domain/poet/epochs.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { lookAtProvers } from '../../../src/usecases/lifecycle/look-at-provers.ts';
import { observed } from '../plan/observed.ts';

const project = {
  network: MAINNET,
  poet: defaultPoet(MAINNET),
  node: { data: '/nowhere' },
  identities: [{ id: 'ab'.repeat(32), name: 'post-0001' }],
} as unknown as Project;

const gap = currentOrNextGap(epochClock(project.network, project.poet), Date.UTC(2026, 0, 1));

async function nodeChangeAt(now: number, state: 'paused' | 'exited'): Promise<string> {
  const context = {
    clock: { now: () => now, sleep: () => new Promise(() => {}) },
    ports: {
      localDatabase: async () => ({ read: async () => ({ kind: 'unknown', reason: 'none' }) }),
      files: { readText: async () => Promise.reject(new Error('none')) },
    },
  } as unknown as Context;
  const node = observed('node', { state, labels: { 'io.smesh-compose.role': 'node' } });
  return (await lookAtProvers(context, project, [node])).nodeChange.kind;
}

describe('a node that cannot be asked', () => {
  it('is left alone in the gap while it is paused: nobody knows who has yet to publish', async () => {
    expect(await nodeChangeAt(gap.opens + 1000, 'paused')).toBe('waits');
    expect(await nodeChangeAt(gap.opens - 29 * 60_000, 'paused')).toBe('waits');
    expect(await nodeChangeAt(gap.opens - 31 * 60_000, 'paused')).toBe('free');
  });

  it('may be made anew at any time when it is down', async () => {
    expect(await nodeChangeAt(gap.opens + 1000, 'exited')).toBe('free');
  });
});
