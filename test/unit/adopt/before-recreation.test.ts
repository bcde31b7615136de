import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { ServiceStatus } from '../../../src/domain/proving/service-status.ts';
import type { Ports } from '../../../src/ports/index.ts';
import { idOf } from '../../../src/usecases/lifecycle/judge-look.ts';
import { askServices } from '../../../src/usecases/observe/ask-services.ts';
import { observed } from '../plan/observed.ts';

const id = parseSmesherId('ab'.repeat(32)) as SmesherId;
const other = parseSmesherId('cd'.repeat(32)) as SmesherId;
const project = {
  identities: [
    { id, name: 'post-a', data: '/mnt/d1/post' },
    { id: other, name: 'post-b', data: '/mnt/d2/post' },
  ],
} as unknown as Pick<Project, 'identities'>;

const handMade = (service: string, source: string, dir: string) =>
  observed(service, {
    labels: {},
    image: 'spacemeshos/post-service:v0.8.5',
    command: ['post-service', '--dir', dir, '--operator-address', '0.0.0.0:9100'],
    mounts: [{ kind: 'bind', source, target: '/data', writable: true }],
  });

describe('a prover that was adopted and is not recreated yet', () => {
  it('is known by its service and the very directory that it works on', () => {
    expect(idOf(handMade('post-a', '/mnt/d1', '/data/post'), project)).toBe(id);
    expect(idOf(handMade('post-a', '/mnt/d2', '/data/post'), project), 'data of another').toBeUndefined();
    expect(idOf(handMade('post-x', '/mnt/d1', '/data/post'), project), 'another service').toBeUndefined();
  });

  it('is never known so where a label of this tool says otherwise', () => {
    const ours = {
      ...handMade('post-a', '/mnt/d1', '/data/post'),
      labels: { 'io.smesh-compose.role': 'prover', 'io.smesh-compose.smesher-id': other },
    };
    expect(idOf(ours, project)).toBe(other);
  });

  it('is asked where it answers', async () => {
    const asked: number[] = [];
    const status = async ({ port }: { port: number }): Promise<ServiceStatus> => {
      asked.push(port);
      return { kind: 'idle' } as ServiceStatus;
    };
    const ports = { postApi: async () => ({ status }) } as unknown as Pick<Ports, 'postApi'>;
    await askServices(ports, [handMade('post-a', '/mnt/d1', '/data/post'), observed('post-b')], 1000);
    expect(asked).toEqual([9100, 50_051]);
  });
});
