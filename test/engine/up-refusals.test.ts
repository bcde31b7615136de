import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, NODE_IMAGE, OWNER, PROVER_IMAGE, TestProject } from './support/project.ts';

const folder = suiteTempFolder('up-refusals');
let project: TestProject;

beforeAll(async () => {
  project = await TestProject.make(folder, 2);
  chownSync(folder, OWNER.uid, OWNER.gid);
});

afterAll(async () => {
  await project.cleanUp();
});

/** One clear message: no stack, no talk of a bug; and nothing was made. */
async function expectRefusal(
  run: { code: number | null; stderr: string },
  code: number,
  message: RegExp,
): Promise<void> {
  expect(run.stderr.replace(/\s+/g, ' ')).toMatch(message);
  expect(run.code, run.stderr).toBe(code);
  expect(run.stderr).not.toMatch(/^\s+at |This is a bug/m);
  expect(await project.containerIds()).toEqual([]);
}

/** A folder with a `docker` in it that knows no `compose`; everything else is the real one. */
function binWithout(what: 'compose' | 'docker'): string {
  const bin = join(folder, `bin-without-${what}`);
  mkdirSync(bin, { recursive: true });
  if (what === 'docker') return bin;
  const script = [
    '#!/bin/bash',
    'if [[ $1 == compose ]]; then echo "docker: \'compose\' is not a docker command." >&2; exit 1; fi',
    `PATH=${process.env['PATH']} exec docker "$@"`,
  ];
  writeFileSync(join(bin, 'docker'), `${script.join('\n')}\n`);
  writeFileSync(join(bin, 'docker-compose'), '#!/bin/bash\necho 1.29.2\n');
  for (const name of ['docker', 'docker-compose']) chmodSync(join(bin, name), 0o755);
  return bin;
}

describe('S20: engine and Compose that cannot be used', () => {
  it('engine down', async () => {
    const env = { DOCKER_HOST: `unix://${folder}/no-engine.sock` };
    for (const command of ['up', 'plan', 'down']) {
      await expectRefusal(await project.smesh([command], { env }), 4, /no-engine\.sock/);
    }
  });

  it('socket without permission', async () => {
    const run = await new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [requireBuiltCli(), 'plan'], {
        cwd: folder,
        env: { ...cleanEnvironment(), HOME: folder },
        ...OWNER,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stderr }));
    });
    await expectRefusal(run, 4, /permission|may not use/i);
  });

  it('Compose v1 only', async () => {
    const env = { PATH: `${binWithout('compose')}${delimiter}${process.env['PATH']}` };
    await expectRefusal(await project.smesh(['up'], { env }), 4, /1\.29\.2|version 1|v1/);
  });

  it('no docker command at all', async () => {
    const env = { PATH: binWithout('docker') };
    await expectRefusal(await project.smesh(['up'], { env }), 4, /docker/);
  });
});

describe('what stands in the way of a start', () => {
  it('S19: a port taken by a process, named; all findings at once', async () => {
    const [p2p, publicApi] = [project.ports.p2p, project.ports.publicApi];
    const servers = await Promise.all([listen(p2p, '0.0.0.0'), listen(publicApi, '127.0.0.1')]);
    try {
      const run = await project.smesh(['up']);
      await expectRefusal(run, 4, new RegExp(`Port ${p2p} .* is taken by .*node.*pid ${process.pid}`));
      expect(run.stderr).toContain(`Port ${publicApi} on 127.0.0.1`);
      expect(run.stderr).toContain('node.ports.p2p in smesh.yaml');
    } finally {
      for (const server of servers) server.close();
    }
  });

  it('S19: a port taken by a container, named', async () => {
    const name = `${project.name}-squatter`;
    const publish = `127.0.0.1:${project.ports.privateApi}:9093`;
    await docker('run', '-d', '--name', name, '-p', publish, '--entrypoint', 'sleep', PROVER_IMAGE, '60');
    try {
      await expectRefusal(await project.smesh(['up']), 4, new RegExp(`taken by container ${name}`));
    } finally {
      await docker('rm', '-f', name);
    }
  });

  it('S19: never publishes the private port beyond this host, whatever an override says', async () => {
    const override = join(folder, 'compose.override.yaml');
    writeFileSync(override, 'services:\n  node:\n    ports: ["0.0.0.0:19093:9093"]\n');
    try {
      await expectRefusal(await project.smesh(['up']), 5, /port 9093 asks nobody/);
    } finally {
      rmSync(override);
    }
  });

  it('S2, S23: an identity that another Compose project serves is refused, and --force is no way', async () => {
    const [identity] = project.identities;
    const other = `${project.name}-other`;
    const labels = ['com.docker.compose.project=elsewhere', 'com.docker.compose.service=post'];
    const labelFlags = labels.flatMap((label) => ['--label', label]);
    const mount = `${identity?.data}:/data:ro`;
    const command = [PROVER_IMAGE, '--dir', '/data', '--address', 'http://127.0.0.1:1', '--threads', '1'];
    const units = ['--min-num-units', '1'];
    await docker('run', '-d', '--name', other, ...labelFlags, '-v', mount, ...command, ...units);
    try {
      for (const args of [['up'], ['up', '--force']]) {
        const run = await project.smesh(args);
        await expectRefusal(
          run,
          5,
          new RegExp(`post-0001 .* container ${other} of Compose project elsewhere`),
        );
        expect(run.stderr).toContain('docker compose -p elsewhere down');
        expect(run.stderr.replace(/\s+/g, ' ')).toContain('it stops proofs in progress');
      }
    } finally {
      await docker('rm', '-f', other);
    }
  });

  it('S23: a changed name of the project is told from a stranger, once, without its own ports', async () => {
    const smesh = join(folder, 'smesh.yaml');
    const text = readFileSync(smesh, 'utf8');
    const first = await project.smesh(['up', '--detach']);
    expect(first.code, first.stderr).toBe(0);
    const before = await project.lives();
    try {
      writeFileSync(smesh, text.replace(`name: ${project.name}`, `name: ${project.name}-new`));
      const run = await project.smesh(['up', '--force']);
      expect(run.code, run.stderr).toBe(5);
      const said = run.stderr.replace(/\s+/g, ' ');
      expect(said).toContain(`This project was called ${project.name}, and its 3 containers`);
      expect(said.match(/was called/g)).toHaveLength(1);
      expect(said).toContain(`name: ${project.name})`);
      expect(said).toContain(`docker compose -p ${project.name} down stops proofs in progress`);
      expect(said).not.toMatch(/Port \d+|served by somebody else|things stand in the way/);
      expect(await project.lives()).toEqual(before);
    } finally {
      writeFileSync(smesh, text);
      await project.cleanUp();
    }
  });

  it("S23: a key in another node's folder is refused while that node runs, and warned of when it is down", async () => {
    const [identity] = project.identities;
    const otherData = join(folder, 'old-node');
    mkdirSync(join(otherData, 'identities'), { recursive: true });
    writeFileSync(join(otherData, 'identities/old.key'), identity?.keyFile ?? '', { mode: 0o600 });
    const name = `${project.name}-old-node`;
    await docker(
      'run',
      '-d',
      '--name',
      name,
      '-v',
      `${otherData}:/old`,
      '--entrypoint',
      'sleep',
      NODE_IMAGE,
      '60',
    );
    try {
      const run = await project.smesh(['up']);
      await expectRefusal(
        run,
        5,
        new RegExp(`container ${name} has its key .*cancels that identity for ever`),
      );
      expect(run.stderr).not.toContain(identity?.keyFile.slice(0, 64));
      await docker('kill', name);
      const down = await project.smesh(['plan']);
      expect(down.code, down.stderr).toBe(0);
      expect(down.stderr.replace(/\s+/g, ' ')).toMatch(/second place, which is down now/);
    } finally {
      await docker('rm', '-f', name);
    }
  });

  it('S23: a node process outside of any container of this engine is found with its keys', async () => {
    const [identity] = project.identities;
    const otherData = join(folder, 'bare node');
    mkdirSync(join(otherData, 'identities'), { recursive: true });
    writeFileSync(join(otherData, 'identities/old.key'), identity?.keyFile ?? '', { mode: 0o600 });
    const script =
      'exec -a /usr/local/bin/go-spacemesh "$0" -e "setTimeout(() => {}, 60000)" -- --data-folder "$1"';
    const node = spawn('bash', ['-c', script, process.execPath, otherData], { stdio: 'ignore' });
    try {
      await expect
        .poll(() => readFileSync(`/proc/${node.pid}/cmdline`, 'latin1'))
        .toMatch(/^\/usr\/local\/bin\/go-spacemesh/);
      const run = await project.smesh(['up', '--force']);
      await expectRefusal(run, 5, new RegExp(`process go-spacemesh \\(pid ${node.pid},.* has its key`));
    } finally {
      node.kill('SIGKILL');
    }
  });

  it('S13: data that the prover may not read are explained by owner and mode, and held back', async () => {
    const [, second] = project.identities;
    const file = join(second?.data ?? '', 'postdata_0.bin');
    chownSync(file, 0, 0);
    try {
      const plan = await project.smesh(['plan']);
      expect(plan.code, plan.stderr).toBe(0);
      const text = plan.stdout.replace(/\s+/g, ' ');
      expect(text).toMatch(/! hold back post-0002/);
      expect(text).toContain('as 1000:1000 inside a container');
      expect(text).toContain('postdata_0.bin');
      expect(text).toContain('it belongs to 0:0, mode 0600');
      expect(text).toMatch(/\+ create (node, )?post-0001/);
    } finally {
      chownSync(file, OWNER.uid, OWNER.gid);
    }
  });

  it('disks that have changed places: data of another identity are not proved under its name', async () => {
    const [first, second] = project.identities;
    const text = (identity = first) => readFileSync(join(identity?.data ?? '', 'postdata_metadata.json'));
    const [one, two] = [text(first), text(second)];
    const write = (identity: typeof first, content: Buffer) =>
      writeFileSync(join(identity?.data ?? '', 'postdata_metadata.json'), content);
    // Generated before: then no hand has named the wrong directory.
    expect(await project.smesh(['generate'])).toMatchObject({ code: 0 });
    write(first, two);
    try {
      const plan = await project.smesh(['plan']);
      expect(plan.stdout.replace(/\s+/g, ' ')).toContain(`not of ${first?.smesherId.slice(0, 8)}`);
    } finally {
      write(first, one);
    }
  });

  it('an image that nobody has: named, before anything is made', async () => {
    project.set({ nodeImage: 'smt-registry.invalid/go-spacemesh:v0.0.1' });
    try {
      await expectRefusal(
        await project.smesh(['up']),
        4,
        /Not all images can be had: smt-registry\.invalid\/go-spacemesh:v0\.0\.1/,
      );
    } finally {
      project.set({ nodeImage: NODE_IMAGE });
    }
  });

  it('an unknown service is a usage error that says what was meant', async () => {
    await expectRefusal(await project.smesh(['up', 'post-001']), 2, /Did you mean post-0001\?/);
  });
});

describe('a node that has failed but lingers', () => {
  it('is told from one that is starting by its log, long before it ends', async () => {
    const run = await project.smesh(['generate']);
    expect(run.code, run.stderr).toBe(0);
    const config = JSON.parse(readFileSync(join(folder, 'node/config.json'), 'utf8'));
    config.smeshing['smeshing-coinbase'] = 'standalone1broken';
    writeFileSync(join(folder, 'broken.json'), JSON.stringify(config));
    const volume = `{type: bind, source: ${folder}/broken.json, target: /config.json, read_only: true}`;
    const override = join(folder, 'compose.override.yaml');
    writeFileSync(override, `services:\n  node:\n    volumes: [${volume}]\n`);
    try {
      const started = Date.now();
      const up = await project.smesh(['up']);
      expect(up.code, up.stdout + up.stderr).toBe(6);
      expect(up.stdout).toMatch(/node failed: .*CoinbaseAccount address/);
      // The real program, and the stand-in like it, stays up for 30 s after that.
      expect(Date.now() - started).toBeLessThan(25_000);
      expect((await project.lives())['post-0001']).toContain('running');
    } finally {
      rmSync(override);
    }
    const mended = await project.smesh(['up']);
    expect(mended.code, mended.stdout + mended.stderr).toBe(0);
  });

  it('down refuses while somebody may be proving, and names what would be lost', async () => {
    const refused = await project.smesh(['down']);
    expect(refused.code, refused.stdout).toBe(5);
    expect(refused.stderr).toMatch(/Refused: .*throws that work away/);
    expect(refused.stderr).toContain('--force');
    expect((await project.containerIds()).length).toBe(3);
  });
});

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
