import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../src/adapters/files/index.ts';
import { createTemplates } from '../../src/adapters/templates/index.ts';
import { ExitCode, SmeshError } from '../../src/domain/errors.ts';
import type { Project } from '../../src/domain/project/types.ts';
import type { DockerPort, EngineFacts, HelperContainer, HelperResult } from '../../src/ports/docker.ts';
import type { Context } from '../../src/usecases/context.ts';
import { gpuPortOf, plantHost } from './gpu-host.ts';
import { spewProviders } from './spew.ts';

const CPU = '[CPU] scrypt-jane';

export function ended(stdout: string, stderr = '', exitCode = 0): HelperResult {
  return { kind: 'ended', exitCode, stdout, stderr, truncated: false };
}

/** postcli's answer with these OpenCL devices, the processor last. */
export function offers(...models: string[]): HelperResult {
  return ended(spewProviders([...models.map((model) => `[GPU] ${model}`), CPU]));
}

export const NO_OPENCL = ended(
  '',
  '2026/11/20 12:38:44 failed to get OpenCL providers failed to fetch providers\n',
  1,
);

/** In the engine's words. */
export function refused(reason: string): HelperResult {
  return { kind: 'not-started', reason };
}

export interface GpuRig {
  readonly host: string;
  readonly folder: string;
  readonly engine?: Partial<EngineFacts> | 'down';
  readonly endpoint?: string;
  /** What postcli answers; default: its processor. */
  readonly providers?: HelperResult;
  /** What the look beside it prints. */
  readonly inside?: string;
  /** Images that are not here. */
  readonly without?: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly directory?: string;
  readonly toolMs?: number;
}

export interface GpuRun {
  readonly context: Context;
  readonly containers: HelperContainer[];
}

const ENGINE: Partial<EngineFacts> = {
  rootless: false,
  desktop: false,
  dataRoot: '/var/lib/docker',
  securityOptions: ['seccomp'],
  runtimes: ['io.containerd.runc.v2', 'runc'],
};

/** Files, templates and a laid-out host are real; the engine answers as told and keeps what it was asked to run. */
export function gpuRig(rig: GpuRig): GpuRun {
  const host = plantHost(rig.host, rig.folder);
  const containers: HelperContainer[] = [];
  const docker = {
    endpoint: rig.endpoint ?? 'unix:///var/run/docker.sock',
    async engine() {
      if (rig.engine === 'down') {
        throw new SmeshError('engine-down', ExitCode.environment, 'No Docker engine answers', {
          hint: 'start it',
        });
      }
      return { ...ENGINE, ...rig.engine };
    },
    async image(reference: string) {
      return rig.without?.includes(reference) ? undefined : { id: 'sha256:1' };
    },
    async runHelper(helper: HelperContainer) {
      containers.push(helper);
      // What is mounted must be there when the container starts.
      for (const { source } of helper.passthrough?.mounts ?? []) readFileSync(source);
      return helper.keepEntrypoint ? (rig.providers ?? offers()) : ended(rig.inside ?? '');
    },
  };
  const user = rig.user ?? { uid: 1000, gid: 1000 };
  const context = {
    directory: rig.directory ?? rig.folder,
    env: { TMPDIR: rig.folder },
    clock: { now: () => 1 },
    out: { note: () => undefined },
    signal: new AbortController().signal,
    ports: {
      files: {
        ...nodeFiles,
        readTextIfPresent: (path: string) =>
          nodeFiles.readTextIfPresent(path === '/etc/group' ? join(host.root, path) : path),
      },
      system: { user, pid: 7 },
      templates: async () => createTemplates(),
      docker: async () => docker as unknown as DockerPort,
      gpu: async () => gpuPortOf(host, rig.toolMs),
    },
  };
  return { context: context as unknown as Context, containers };
}

/** A project of which only `init` matters. */
export function projectWith(
  initialisation: Partial<NonNullable<Project['initialisation']>>,
  data = '/nowhere',
): Project {
  const init = {
    image: 'spacemeshos/postcli:v0.12.9',
    gpu: 'nvidia' as const,
    devices: [],
    jobs: [],
    ...initialisation,
  };
  return { node: { data, user: '1000:1000' }, initialisation: init } as unknown as Project;
}
