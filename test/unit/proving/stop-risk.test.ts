import { describe, expect, it } from 'vitest';
import { CONTAINER_STATES } from '../../../src/domain/compose/observed.ts';
import { judgeStop, percent, type StopFacts } from '../../../src/domain/proving/stop-risk.ts';

const idle: StopFacts = { container: 'running', status: { kind: 'idle' }, wanted: 'idle', node: 'settled' };

describe('judgeStop', () => {
  it('is safe only when the service is idle and a settled node wants nothing of it', () => {
    expect(judgeStop(idle).safe).toBe(true);
    expect(judgeStop({ ...idle, wanted: 'unlisted' }).safe).toBe(true);
    expect(judgeStop({ ...idle, node: 'down', wanted: 'unknown' }).safe).toBe(true);
    for (const changes of [
      { wanted: 'proving' },
      { wanted: 'unknown' },
      { node: 'fresh' },
      { node: 'unknown', wanted: 'unknown' },
    ] as const) {
      expect(judgeStop({ ...idle, ...changes }), JSON.stringify(changes)).toMatchObject({ safe: false });
    }
  });

  it('every other answer of the service is unsafe, whatever the node says', () => {
    for (const status of [
      { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 },
      { kind: 'proving', nonces: { start: 0, end: 128 }, position: 4096 },
      { kind: 'done-proving' },
      { kind: 'no-answer' },
      { kind: 'refused' },
      { kind: 'unreachable', reason: 'no address' },
      { kind: 'malformed', reason: 'not JSON' },
    ] as const) {
      for (const node of ['settled', 'fresh', 'down', 'unknown'] as const) {
        expect(judgeStop({ ...idle, status, node }).safe, `${status.kind}, node ${node}`).toBe(false);
      }
    }
    const { status: _, ...unasked } = idle;
    expect(judgeStop(unasked).safe).toBe(false);
  });

  it('a container that does not run has nothing to lose; a paused one has', () => {
    const { status: _, ...rest } = idle;
    for (const container of CONTAINER_STATES) {
      const safe = container !== 'running' && container !== 'paused';
      expect(judgeStop({ ...rest, container, wanted: 'proving' }).safe, container).toBe(safe);
    }
    const { container: __, ...none } = idle;
    expect(judgeStop(none).safe).toBe(true);
  });

  it('says how much of the data has been read', () => {
    const status = { kind: 'proving', nonces: { start: 0, end: 128 }, position: 41 } as const;
    expect(judgeStop({ ...idle, status, dataBytes: 100 })).toEqual({
      safe: false,
      why: 'is proving: 41 % read',
      proving: true,
      fraction: 0.41,
    });
    expect(judgeStop({ ...idle, status: { ...status, position: 0 }, dataBytes: 100 })).toMatchObject({
      why: 'is proving: k2pow',
    });
    expect(percent(1)).toBe('99 %');
  });
});
