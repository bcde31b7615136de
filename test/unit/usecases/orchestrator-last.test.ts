import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { actWhenSafe } from '../../../src/usecases/lifecycle/act-when-safe.ts';
import { observed } from '../plan/observed.ts';

const project = {
  name: 'test',
  network: MAINNET,
  poet: defaultPoet(MAINNET),
  node: { data: '/nowhere' },
  identities: [{ id: 'ab'.repeat(32), name: 'post-0001', data: '/nowhere' }],
} as unknown as Project;

const schedule = observed('orchestrator', { image: 'smesh-compose-orchestrator:1' });

/** What is stopped at the first look of a `--wait` that has no time. */
async function stoppedAtOnce(prover: ObservedContainer, nodeLast = true): Promise<string[]> {
  const stopped: string[] = [];
  const context = {
    directory: '/nowhere',
    signal: new AbortController().signal,
    clock: { now: () => 0, sleep: () => new Promise(() => {}), localOffsetMinutes: () => 0 },
    out: { live: () => ({ update: () => {}, done: () => {} }), warn: () => {} },
    ports: {
      docker: async () => ({
        containers: async () =>
          [schedule, prover].filter(({ service }) => service !== undefined && !stopped.includes(service)),
      }),
      localDatabase: async () => ({ read: async () => ({ kind: 'unknown', reason: 'none' }) }),
      files: { readText: async () => Promise.reject(new Error('none')) },
    },
  } as unknown as Context;
  const act = {
    ...({ verb: 'stop', done: 'stopped', command: 'smesh-compose stop', nodeLast } as const),
    choose: (all: readonly ObservedContainer[]) =>
      all.filter(({ state }) => state === 'running' || state === 'paused'),
    act: async ({ service }: ObservedContainer) => void stopped.push(service ?? ''),
  };
  await actWhenSafe(context, project, act, { force: false, wait: { timeoutMs: 0 } }).catch(
    (error: unknown) => {
      if ((error as { code?: string }).code !== 'no-safe-moment') throw error;
    },
  );
  return stopped;
}

describe('stop --wait with a schedule in a container', () => {
  it('leaves it at work while somebody is waited for: only it releases those that it holds', async () => {
    expect(await stoppedAtOnce(observed('post-0001', { state: 'paused' }))).toEqual([]);
  });

  it('stops it when nobody is left to wait for, and restarts it at any time', async () => {
    expect(await stoppedAtOnce(observed('post-0001', { state: 'exited', exitCode: 0 }))).toEqual([
      'orchestrator',
    ]);
    expect(await stoppedAtOnce(observed('post-0001', { state: 'paused' }), false)).toEqual(['orchestrator']);
  });
});
