import { describe, expect, it } from 'vitest';
import { containerRole } from '../../../src/domain/compose/container-role.ts';

const names = new Set(['post-0001']);

function role(changes: Partial<Parameters<typeof containerRole>[0]>): string {
  return containerRole(
    { labels: {}, command: [], image: 'example/other:v1', service: 'web', ...changes },
    names,
  );
}

describe('what a container of the project does', () => {
  it('by its label, whatever it is called', () => {
    expect(role({ labels: { 'io.smesh-compose.role': 'node' }, service: 'post-0001' })).toBe('node');
    expect(role({ labels: { 'io.smesh-compose.role': 'prover' } })).toBe('prover');
    expect(role({ labels: { 'io.smesh-compose.role': 'initialisation' }, service: 'post-0001' })).toBe(
      'other',
    );
  });

  it('without one: by its program, its image, the name of its service', () => {
    expect(role({ command: ['/usr/local/bin/post-service', '--dir', '/post'] })).toBe('prover');
    expect(role({ image: 'registry.example:5000/me/post-service:v0.8.5@sha256:aa' })).toBe('prover');
    expect(role({ service: 'post-0001' })).toBe('prover');
    expect(role({ command: ['/bin/go-spacemesh'] })).toBe('node');
    expect(role({ image: 'spacemeshos/go-spacemesh:v1.7.6' })).toBe('node');
    expect(role({ service: 'node' })).toBe('node');
    expect(role({})).toBe('other');
  });
});
