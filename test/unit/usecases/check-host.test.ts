import { describe, expect, it } from 'vitest';
import type { Project } from '../../../src/domain/project/types.ts';
import { checkImages, checkMemory } from '../../../src/usecases/up/check-host.ts';
import type { EngineObservation } from '../../../src/usecases/up/observe-engine.ts';

const GIB = 1024 ** 3;

function project(identities: readonly Partial<Project['identities'][number]>[]): Project {
  return {
    node: { image: 'spacemeshos/go-spacemesh:v1.7.6' },
    identities: identities.map((changes) => ({
      image: 'spacemeshos/post-service:v0.8.5',
      randomx: 'fast',
      ...changes,
    })),
  } as unknown as Project;
}

function observation(memoryGib: number, desired: readonly { role: string; image: string }[] = []) {
  return { engine: { memoryBytes: memoryGib * GIB }, desired } as unknown as EngineObservation;
}

describe('checkMemory', () => {
  it('S25: warns with what would fit at a time, and never stops a start', () => {
    const findings = checkMemory(observation(16), project(Array.from({ length: 10 }, () => ({}))));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ severity: 'warning', code: 'memory-short' });
    expect(findings[0]?.message).toContain('23 GiB');
    expect(findings[0]?.message).toContain('6 at a time fit');
  });

  it('is silent when all fit, also because k2pow is done elsewhere', () => {
    expect(checkMemory(observation(16), project([{}, {}]))).toEqual([]);
    const remote = Array.from({ length: 40 }, () => ({ remoteK2pow: { url: 'http://k2pow' } }));
    expect(checkMemory(observation(16), project(remote))).toEqual([]);
  });
});

describe('checkImages', () => {
  it('S24: judges images that an override brought in, and several versions', () => {
    const desired = [
      { role: 'node', image: 'spacemeshos/go-spacemesh:v1.7.5' },
      { role: 'prover', image: 'spacemeshos/post-service:v0.8.5' },
      { role: 'prover', image: 'spacemeshos/post-service:v0.7.8' },
    ];
    const findings = checkImages(observation(16, desired), project([{}]));
    expect(findings.find(({ severity }) => severity === 'error')?.message).toContain('invalid ATX data');
    expect(findings.map(({ code }) => code)).toContain('mixed-versions');
    expect(checkImages(observation(16, desired.slice(1, 2)), project([{}]))).toEqual([]);
  });
});
