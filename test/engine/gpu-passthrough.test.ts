import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp.ts';
import { CARD_GROUPS, type GpuProject, gpuProjects, run } from './support/gpu-projects.ts';
import { POSTCLI_IMAGE } from './support/project.ts';

const projects = gpuProjects();

interface Inspected {
  readonly Config: { readonly StopSignal: string; readonly StopTimeout: number; readonly User: string };
  readonly Mounts: readonly { readonly Destination: string; readonly RW: boolean; readonly Source: string }[];
  readonly HostConfig: {
    readonly DeviceRequests: readonly Record<string, unknown>[] | null;
    readonly Devices: readonly { readonly PathOnHost: string; readonly PathInContainer: string }[] | null;
    readonly GroupAdd: readonly string[] | null;
    readonly CapDrop: readonly string[];
    readonly ReadonlyRootfs: boolean;
    readonly RestartPolicy: { readonly Name: string };
  };
}

/** The containers of jobs, made by Compose through our own adapter, as the engine tells of them. */
async function created(
  { name, directory }: GpuProject,
  services: readonly string[],
): Promise<readonly Inspected[]> {
  await projects.compose().create({ name, directory, profiles: ['init'] }, { services });
  return services.map((service) => {
    const [found] = JSON.parse(run('inspect', `${name}-${service}-1`)) as Inspected[];
    if (found === undefined) throw new Error(`no container of ${service}`);
    return found;
  });
}

const hardened = {
  Config: { StopSignal: 'SIGINT', StopTimeout: 900, User: '1000:1000' },
  HostConfig: { CapDrop: ['ALL'], ReadonlyRootfs: true, RestartPolicy: { Name: 'no' } },
};

const paths = ({ HostConfig }: Inspected) =>
  (HostConfig.Devices ?? []).map(({ PathOnHost, PathInContainer }) => [PathOnHost, PathInContainer]);

describe('passthrough in created containers, as docker inspect tells', () => {
  it('NVIDIA: a card for each job, and the entry for its OpenCL', async () => {
    const made = await projects.project('nvidia', '', [
      ', device: 0, toFile: 31',
      ', device: GPU-5f1e, fromFile: 32',
      '',
    ]);
    const [first, second, third] = await created(made, ['job-1', 'job-2', 'job-3']);
    const request = (ids: readonly string[] | null, count: number) => [
      expect.objectContaining({
        Driver: 'nvidia',
        DeviceIDs: ids,
        Count: count,
        Capabilities: [['gpu', 'compute', 'utility']],
      }),
    ];
    expect(first?.HostConfig.DeviceRequests).toEqual(request(['0'], 0));
    expect(second?.HostConfig.DeviceRequests).toEqual(request(['GPU-5f1e'], 0));
    expect(third?.HostConfig.DeviceRequests).toEqual(request(null, -1));
    const icd = first?.Mounts.find(({ Destination }) => Destination === '/etc/OpenCL/vendors/nvidia.icd');
    expect(icd).toMatchObject({ RW: false });
    expect(readFileSync(icd?.Source ?? '', 'utf8').split('\n')).toContain('libnvidia-opencl.so.1');
    expect(first).toMatchObject(hardened);
    expect(first?.Mounts.find(({ Destination }) => Destination === '/post')).toMatchObject({ RW: true });
  });

  it('AMD: /dev/kfd, its render node and numeric groups, in an image that Compose builds and asks nobody for', async () => {
    const made = await projects.project('amd', '', [
      ', device: /dev/dri/renderD128',
      ', device: /dev/dri/renderD129',
    ]);
    const { directory } = made;
    // What the real Dockerfile downloads is no part of this test.
    writeFileSync(join(directory, 'init/Dockerfile'), `FROM ${projects.base}\n`);
    execFileSync('docker', ['compose', '--profile', 'init', 'build', '-q'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const [first, second] = await created(made, ['job-1', 'job-2']);
    expect(first === undefined ? [] : paths(first)).toEqual([
      ['/dev/kfd', '/dev/kfd'],
      ['/dev/dri/renderD128', '/dev/dri/renderD128'],
    ]);
    expect(second === undefined ? [] : paths(second)[1]).toEqual([
      '/dev/dri/renderD129',
      '/dev/dri/renderD129',
    ]);
    expect(first?.HostConfig.GroupAdd ?? []).toEqual(CARD_GROUPS);
    expect(first).toMatchObject(hardened);
    expect(first?.Mounts.map(({ Destination }) => Destination)).toEqual(['/post']);
  });

  it('Intel: all of /dev/dri where no card is named, and a missing image is built by plain Compose', async () => {
    const made = await projects.project('intel', '', ['']);
    const { directory } = made;
    writeFileSync(join(directory, 'init/Dockerfile'), `FROM ${projects.base}\n`);
    execFileSync('docker', ['compose', '--profile', 'init', 'create', 'job-1'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const [job] = await created(made, ['job-1']);
    expect(job === undefined ? [] : paths(job)).toEqual([['/dev/dri', '/dev/dri']]);
    expect(job?.HostConfig.GroupAdd ?? []).toEqual(CARD_GROUPS);
    expect(job).toMatchObject(hardened);
  });

  it('the processor: nothing beside its data', async () => {
    const made = await projects.project('cpu', '', ['']);
    const [job] = await created(made, ['job-1']);
    expect(job?.HostConfig).toMatchObject({ DeviceRequests: null, Devices: null, GroupAdd: null });
    expect(job).toMatchObject(hardened);
  });
});

describe('a throw-away container with passthrough', () => {
  const node = `/dev/smt-gpu-${process.pid}`;
  const GID = 4242;

  beforeAll(() => {
    // Behaves as /dev/null, and only its group may open it.
    execFileSync('mknod', ['-m', '660', node, 'c', '1', '3']);
    chownSync(node, 0, GID);
  });
  afterAll(() => rmSync(node));

  it('S26: has nodes, groups, mounts and environment of a job; without the group it may not open the node', async () => {
    const icd = join(tempFolder('icd'), 'nvidia.icd');
    writeFileSync(icd, 'libnvidia-opencl.so.1\n', { mode: 0o644 });
    const look = (groups: readonly number[]) =>
      projects.docker().runHelper({
        image: POSTCLI_IMAGE,
        command: [
          'bash',
          '-c',
          `id -G; if [ -w ${node} ]; then echo open; else echo closed; fi; echo $HOME; cat /x.icd; echo x >/tmp/x && echo written`,
        ],
        user: '1000:1000',
        mounts: [],
        timeoutMs: 20_000,
        passthrough: {
          devices: [node],
          deviceRequests: [],
          groups,
          mounts: [{ source: icd, target: '/x.icd' }],
          environment: { HOME: '/tmp' },
        },
      });
    const [member, stranger] = await Promise.all([look([GID]), look([])]);
    expect(member).toMatchObject({
      exitCode: 0,
      stdout: `1000 ${GID}\nopen\n/tmp\nlibnvidia-opencl.so.1\nwritten\n`,
    });
    expect(stranger).toMatchObject({
      exitCode: 0,
      stdout: '1000\nclosed\n/tmp\nlibnvidia-opencl.so.1\nwritten\n',
    });
  });
});
