import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { gpuPortOf, plantHost } from '../helpers/gpu-host.ts';
import { root } from '../helpers/places.ts';
import { runMain } from '../helpers/run-main.ts';
import { tempFolder } from '../helpers/temp.ts';
import { CARD_GROUPS, gpuProjects, projectText, run } from './support/gpu-projects.ts';
import { POSTCLI_IMAGE } from './support/project.ts';

const projects = gpuProjects();

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
    writeFileSync(join(directory, 'smesh.yaml'), `${projectText('list')} ${init}\n`);
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
    const runtimes = (await projects.docker().engine()).runtimes;
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
    const unbuilt = await listed(`${projects.base}-unbuilt`);
    expect(unbuilt.stdout).toContain('[image-unbuilt]');
    expect(unbuilt.stdout).toContain('docker compose --profile init build');
    expect(unbuilt.code).toBe(0);
    run('tag', projects.base, projects.built('amd'));
    const { code, stdout } = await listed(projects.base);
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
      const { directory } = await projects.project('intel', `  devices: [${node}]\n`, ['']);
      const gpu = 'Intel(R) OpenCL Graphics/Intel(R) Arc(TM) A770 Graphics';
      writeFileSync(join(directory, 'init/intel.icd'), '/usr/lib/libigdrcl.so\n');
      writeFileSync(
        join(directory, 'init/Dockerfile'),
        `FROM ${projects.base}\nENV SIM_GPUS="${gpu}" SIM_GPU_NODES="${node}"\nCOPY intel.icd /etc/OpenCL/vendors/\n`,
      );
      execFileSync('docker', ['compose', '--profile', 'init', 'build', '-q'], {
        cwd: directory,
        stdio: 'pipe',
      });
      const planted = gpuPortOf(plantHost('intel', tempFolder('host'), ['renderD128', 'renderD250']));
      const look = () => runMain(['-C', directory, 'gpu', 'list'], undefined, { gpu: planted });
      chownSync(node, 0, Number(CARD_GROUPS[0]));
      const open = await look();
      expect(open.stdout).toMatch(/Intel Arc A770 .*renderD250 +provider 0/);
      expect(open.code, open.stdout).toBe(0);
      writeFileSync(
        join(directory, 'compose.override.yaml'),
        'services: {job-1: {environment: {POST_OCL_DEVICES_BLACKLIST: Radeon, PASSWORD: not-to-be-seen}}}\n',
      );
      const filtered = await look();
      expect(filtered.stdout).toContain('POST_OCL_DEVICES_BLACKLIST=Radeon is set inside');
      expect(filtered.stdout).toContain('[filter]');
      expect(filtered.stdout + filtered.stderr).not.toContain('not-to-be-seen');
      expect(filtered.code).toBe(0);
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
