import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompose } from '../../src/adapters/compose-cli/index.ts';
import { resolveEndpoint } from '../../src/adapters/docker/endpoint.ts';
import { createDocker } from '../../src/adapters/docker/index.ts';
import type { ComposePort } from '../../src/ports/compose.ts';
import type { DockerPort } from '../../src/ports/docker.ts';
import { gpuPortOf, plantHost } from '../helpers/gpu-host.ts';
import { root } from '../helpers/places.ts';
import { runMain } from '../helpers/run-main.ts';
import { suiteTempFolder, tempFolder } from '../helpers/temp.ts';
import { POSTCLI_IMAGE } from './support/project.ts';

const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';
const COMMITMENT = '9eebff023abb17ccb775c602daade8ed708f0a50d3149a42801184f5b74f2865';
const GROUPS = readFileSync('/etc/group', 'utf8')
  .split('\n')
  .flatMap((line) => (/^(video|render):/.test(line) ? [line.split(':')[2] ?? ''] : []));

const folder = suiteTempFolder('gpu');
const TAG = `smt-${process.pid}`;
const BASE = `smesh-sim/postcli:${TAG}`;

let docker: DockerPort;
let compose: ComposePort;
const made: string[] = [];

const run = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim();

beforeAll(async () => {
  const endpoint = await resolveEndpoint(process.env);
  docker = await createDocker(endpoint);
  compose = createCompose(endpoint, process.env);
  // A name of this run's own: the images that are built on it are named after its tag.
  run('tag', POSTCLI_IMAGE, BASE);
});

afterAll(async () => {
  for (const name of made) await compose.down({ name, directory: join(folder, name), profiles: ['init'] });
  // One that was built anew has left its predecessor without a name.
  for (const name of made)
    run('image', 'prune', '-f', '--filter', `label=com.docker.compose.project=${name}`);
  for (const image of [BASE, `smesh-compose/postcli-amd:${TAG}`, `smesh-compose/postcli-intel:${TAG}`]) {
    try {
      run('image', 'rm', image);
    } catch {
      // Was never made.
    }
  }
});

/** A project with jobs as `generate` writes it, and its data folders. */
async function project(vendor: string, init: string, jobs: readonly string[], suffix = ''): Promise<string> {
  const name = `smt-gpu-${vendor}${suffix}-${process.pid}`;
  const directory = join(folder, name);
  mkdirSync(directory);
  const entries = jobs.map((rest, index) => {
    const data = join(directory, `data-${index + 1}`);
    mkdirSync(data);
    chownSync(data, 1000, 1000);
    return `    - {id: '${'5e'.repeat(31)}0${index + 1}', name: job-${index + 1}, data: ${data}, units: 4, commitmentAtx: ${COMMITMENT}${rest}}\n`;
  });
  writeFileSync(
    join(directory, 'smesh.yaml'),
    `version: 1\nname: ${name}\nnetwork: mainnet\ncoinbase: ${COINBASE}\nnode: {user: '1000:1000'}\nidentities: []\ninit:\n  image: ${BASE}\n  gpu: ${vendor}\n${init}  jobs:\n${entries.join('')}`,
  );
  const generated = await runMain(['-C', directory, 'generate', '--yes']);
  expect(generated.code, generated.stderr).toBe(0);
  made.push(name);
  return name;
}

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
async function created(name: string, services: readonly string[]): Promise<readonly Inspected[]> {
  await compose.create({ name, directory: join(folder, name), profiles: ['init'] }, { services });
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
    const name = await project('nvidia', '', [
      ', device: 0, toFile: 31',
      ', device: GPU-5f1e, fromFile: 32',
      '',
    ]);
    const [first, second, third] = await created(name, ['job-1', 'job-2', 'job-3']);
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
    const name = await project('amd', '', [', device: /dev/dri/renderD128', ', device: /dev/dri/renderD129']);
    const directory = join(folder, name);
    // What the real Dockerfile downloads is no part of this test.
    writeFileSync(join(directory, 'init/Dockerfile'), `FROM ${BASE}\n`);
    execFileSync('docker', ['compose', '--profile', 'init', 'build', '-q'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const [first, second] = await created(name, ['job-1', 'job-2']);
    expect(first === undefined ? [] : paths(first)).toEqual([
      ['/dev/kfd', '/dev/kfd'],
      ['/dev/dri/renderD128', '/dev/dri/renderD128'],
    ]);
    expect(second === undefined ? [] : paths(second)[1]).toEqual([
      '/dev/dri/renderD129',
      '/dev/dri/renderD129',
    ]);
    expect(first?.HostConfig.GroupAdd ?? []).toEqual(GROUPS);
    expect(first).toMatchObject(hardened);
    expect(first?.Mounts.map(({ Destination }) => Destination)).toEqual(['/post']);
  });

  it('Intel: all of /dev/dri where no card is named, and a missing image is built by plain Compose', async () => {
    const name = await project('intel', '', ['']);
    const directory = join(folder, name);
    writeFileSync(join(directory, 'init/Dockerfile'), `FROM ${BASE}\n`);
    execFileSync('docker', ['compose', '--profile', 'init', 'create', 'job-1'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const [job] = await created(name, ['job-1']);
    expect(job === undefined ? [] : paths(job)).toEqual([['/dev/dri', '/dev/dri']]);
    expect(job?.HostConfig.GroupAdd ?? []).toEqual(GROUPS);
    expect(job).toMatchObject(hardened);
  });

  it('the processor: nothing beside its data', async () => {
    const name = await project('cpu', '', ['']);
    const [job] = await created(name, ['job-1']);
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
    const icd = join(folder, 'nvidia.icd');
    writeFileSync(icd, 'libnvidia-opencl.so.1\n', { mode: 0o644 });
    const look = (groups: readonly number[]) =>
      docker.runHelper({
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

/** Made from the distribution's packages where it is not there yet. */
const poclImage = () =>
  execFileSync(process.execPath, ['scripts/build-pocl-image.mjs'], { cwd: root, encoding: 'utf8' }).trim();

describe('gpu list', () => {
  const list = (host: string, directory: string, ...args: string[]) =>
    runMain(['-C', directory, 'gpu', 'list', ...args], undefined, {
      gpu: gpuPortOf(plantHost(host, tempFolder('host'))),
    });

  const withInit = (init: string) => {
    const directory = tempFolder('list');
    writeFileSync(
      join(directory, 'smesh.yaml'),
      `version: 1\nnetwork: mainnet\ncoinbase: ${COINBASE}\nnode: {user: '1000:1000'}\nidentities: []\ninit: ${init}\n`,
    );
    return directory;
  };

  it('finds OpenCL inside through pocl, and says why postcli offers only the processor there', async () => {
    const image = process.env['SMESH_POSTCLI_IMAGE'] ?? poclImage();
    const directory = withInit(`{gpu: cpu, image: '${image}', jobs: []}`);
    const { code, stdout } = await list('no-card', directory, '--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as {
      looks: readonly {
        providers: unknown;
        platforms: readonly { name: string; devices: readonly string[] }[];
      }[];
      findings: readonly { code: string; message: string }[];
    };
    expect(document.looks[0]?.providers).toEqual([
      { id: 4_294_967_295, model: '[CPU] scrypt-jane', kind: 'cpu' },
    ]);
    // `clinfo -l` inside.
    expect(document.looks[0]?.platforms).toMatchObject([{ name: 'Portable Computing Language' }]);
    expect(document.looks[0]?.platforms[0]?.devices.length).toBeGreaterThan(0);
    const pocl = document.findings.find((finding) => finding.code === 'pocl');
    expect(pocl?.message).toMatch(/type GPU only.*4294967295/);
    expect((await list('no-card', directory)).stdout).toContain('only on the processor: pocl');
  });

  it("names a missing container toolkit in this engine's own words", async () => {
    const runtimes = (await docker.engine()).runtimes;
    const { code, stdout } = await list(
      'nvidia-one',
      withInit(`{gpu: nvidia, image: '${POSTCLI_IMAGE}', jobs: []}`),
    );
    // On a machine with the toolkit there is no such card as the one laid out.
    expect(stdout).toContain(runtimes.includes('nvidia') ? '[' : '[toolkit-missing]');
    expect(code).toBe(3);
  });

  it('names a node that the engine does not find', async () => {
    const listed = (image: string) =>
      list('amd', withInit(`{gpu: amd, image: '${image}', jobs: [], devices: [/dev/dri/renderD128]}`));
    const unbuilt = await listed(`${BASE}-unbuilt`);
    expect(unbuilt.stdout).toContain('[image-unbuilt]');
    expect(unbuilt.stdout).toContain('docker compose --profile init build');
    expect(unbuilt.code).toBe(0);
    run('tag', BASE, `smesh-compose/postcli-amd:${TAG}`);
    const { code, stdout } = await listed(BASE);
    // On a machine with such a card it is handed in, and the stand-in of postcli offers none.
    expect(stdout).toMatch(/\[kfd-not-handed\]|\[node-not-handed\]|\[closed-inside\]|\[no-runtime\]/);
    expect(code).toBe(3);
  });

  it('S26: joins a card with what is offered inside, and says which node jobs may not open', async () => {
    // A number that no card has; it behaves as /dev/null.
    const node = '/dev/dri/renderD250';
    const madeFolder = mkdirSync('/dev/dri', { recursive: true });
    execFileSync('mknod', ['-m', '660', node, 'c', '1', '3']);
    try {
      const name = await project('intel', `  devices: [${node}]\n`, [''], '-node');
      const directory = join(folder, name);
      const gpu = 'Intel(R) OpenCL Graphics/Intel(R) Arc(TM) A770 Graphics';
      writeFileSync(join(directory, 'init/intel.icd'), '/usr/lib/libigdrcl.so\n');
      writeFileSync(
        join(directory, 'init/Dockerfile'),
        `FROM ${BASE}\nENV SIM_GPUS="${gpu}" SIM_GPU_NODES="${node}"\nCOPY intel.icd /etc/OpenCL/vendors/\n`,
      );
      execFileSync('docker', ['compose', '--profile', 'init', 'build', '-q'], {
        cwd: directory,
        stdio: 'pipe',
      });
      const planted = gpuPortOf(plantHost('intel', tempFolder('host'), ['renderD128', 'renderD250']));
      const look = () => runMain(['-C', directory, 'gpu', 'list'], undefined, { gpu: planted });
      chownSync(node, 0, Number(GROUPS[0]));
      const open = await look();
      expect(open.stdout).toMatch(/Intel Arc A770 .*renderD250 +provider 0/);
      expect(open.code, open.stdout).toBe(0);
      chownSync(node, 0, 4242);
      const closed = await look();
      expect(closed.stdout).toMatch(/not offered/);
      expect(closed.stdout.replace(/\s+/g, ' ')).toContain(`may not open ${node} there [closed-inside]`);
      expect(closed.code).toBe(3);
    } finally {
      rmSync(node);
      if (madeFolder !== undefined) rmSync(madeFolder, { recursive: true });
    }
  });

  it('S20: tells the host where no engine answers, exit 4', async () => {
    const before = process.env['DOCKER_HOST'];
    process.env['DOCKER_HOST'] = 'unix:///nowhere/docker.sock';
    try {
      const { code, stdout } = await list('nvidia-two', tempFolder('list'));
      expect(code).toBe(4);
      expect(stdout).toContain('2 graphics cards on this host');
      expect(stdout).toContain('No Docker engine answers');
    } finally {
      if (before === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = before;
    }
  });
});
