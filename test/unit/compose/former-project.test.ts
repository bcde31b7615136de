import { describe, expect, it } from 'vitest';
import { findFormerProjects } from '../../../src/domain/compose/former-project.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { observed } from '../plan/observed.ts';

const project = { directory: '/srv/smesh', nodeData: '/srv/smesh/node-data' };

function made(name: string, role: string, directory: string, changes: Partial<ObservedContainer> = {}) {
  return observed(`${name}-${role}`, {
    project: name,
    labels: { 'io.smesh-compose.role': role, 'com.docker.compose.project.working_dir': directory },
    ...changes,
  });
}

describe('findFormerProjects', () => {
  it('knows what was made in this directory under another name, with all that belongs to it', () => {
    const containers = [made('old', 'node', '/srv/smesh'), made('old', 'prover', '/srv/smesh')];
    expect(findFormerProjects(containers, project)).toEqual([{ name: 'old', containers }]);
  });

  it("knows a node on this project's databases, whatever path its directory was reached by", () => {
    const mounts = [{ kind: 'bind', source: project.nodeData, target: '/data', writable: true }] as const;
    const containers = [made('old', 'node', '/home/link', { mounts }), made('old', 'prover', '/home/link')];
    expect(findFormerProjects(containers, project)).toEqual([{ name: 'old', containers }]);
  });

  it('takes nobody else for this project: other directories, other tools, one-off containers', () => {
    const other = made('other', 'prover', '/srv/other', {
      mounts: [{ kind: 'bind', source: '/mnt/d1/post', target: '/post', writable: false }],
    });
    const byHand = made('hand', 'node', '/srv/smesh', {
      labels: { 'com.docker.compose.project.working_dir': '/srv/smesh' },
    });
    const once = made('old', 'prover', '/srv/smesh', { oneOff: true });
    expect(findFormerProjects([other, byHand, once], project)).toEqual([]);
  });
});
