import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../../src/domain/compose/observed.ts';
import { judgeReconnect, type Reconnecting } from '../../../src/domain/upgrade/reconnect.ts';

function prover(name: string, state: ContainerState, connected = false, cpuQuota = 0): Reconnecting {
  const host = { cpuQuota, cpuPeriod: 100_000 } as NonNullable<Reconnecting['container']>['host'];
  return { name, connected, container: { state, host } };
}

describe('what post-services tell about a new node', () => {
  it('nobody can find it: those that run have not', () => {
    const verdict = judgeReconnect([
      prover('a', 'running'),
      prover('b', 'restarting'),
      prover('c', 'paused'),
    ]);
    expect(verdict).toEqual({ nobodyCan: true, lost: ['a', 'b'], unable: ['c'] });
  });

  it('one that has found it speaks for the node', () => {
    const verdict = judgeReconnect([prover('a', 'running'), prover('b', 'running', true)]);
    expect(verdict).toEqual({ nobodyCan: false, lost: ['a'], unable: [] });
  });

  it('held, paused, stopped and gone ones say nothing', () => {
    const verdict = judgeReconnect([
      prover('held', 'running', false, 1000),
      prover('paused', 'paused'),
      prover('stopped', 'exited'),
      { name: 'gone', connected: false },
    ]);
    expect(verdict).toEqual({ nobodyCan: false, lost: [], unable: ['held', 'paused', 'stopped', 'gone'] });
  });

  it('nobody at all says nothing', () => {
    expect(judgeReconnect([])).toEqual({ nobodyCan: false, lost: [], unable: [] });
  });
});
