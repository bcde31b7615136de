import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import type { DesiredService, UpFacts } from '../../../src/domain/plan/decide-up.ts';

/** A healthy container of service `name` as Compose makes it; `changes` says what is different about it. */
export function observed(name: string, changes: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `id-${name}`,
    name: `test-${name}-1`,
    project: 'test',
    service: name,
    oneOff: false,
    configHash: `hash-${name}`,
    labels: { 'com.docker.compose.image': 'sha256:one' },
    image: 'example/image:v1',
    imageId: 'sha256:one',
    command: [],
    user: '1000:1000',
    state: 'running',
    health: 'healthy',
    healthLog: [],
    oomKilled: false,
    restartCount: 0,
    createdAt: 0,
    startedAt: 0,
    mounts: [],
    ports: [],
    addresses: [],
    host: {
      readOnlyRootFs: true,
      privileged: false,
      capAdd: [],
      capDrop: ['ALL'],
      securityOptions: [],
      groups: [],
      init: true,
      memoryBytes: 0,
      cpuQuota: 0,
      cpuPeriod: 0,
      nanoCpus: 0,
      cpusetCpus: '',
      oomScoreAdj: 0,
      restartPolicy: 'unless-stopped',
      networkMode: 'test_default',
      logDriver: 'json-file',
      devices: [],
      deviceRequests: [],
    },
    ...changes,
  };
}

/** What Compose defines for service `name`, matching `observed(name)`. */
export function desired(name: string, changes: Partial<DesiredService> = {}): DesiredService {
  return {
    name,
    role: name === 'node' ? 'node' : 'prover',
    configHash: `hash-${name}`,
    image: 'example/image:v1',
    imageId: 'sha256:one',
    labels: {},
    dependsOn: [],
    ...changes,
  };
}

export function upFacts(changes: Partial<UpFacts> = {}): UpFacts {
  return {
    desired: [],
    containers: [],
    removed: [],
    stopRisks: new Map(),
    hindrances: new Map(),
    nodeChange: { kind: 'free' },
    composeVersion: '2.26.1',
    ...changes,
  };
}
