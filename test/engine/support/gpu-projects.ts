import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect } from 'vitest';
import { createCompose } from '../../../src/adapters/compose-cli/index.ts';
import { resolveEndpoint } from '../../../src/adapters/docker/endpoint.ts';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import type { ComposePort } from '../../../src/ports/compose.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { runMain } from '../../helpers/run-main.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';
import { POSTCLI_IMAGE } from './project.ts';

const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';
const COMMITMENT = '9eebff023abb17ccb775c602daade8ed708f0a50d3149a42801184f5b74f2865';

/** Gids that jobs on AMD and Intel cards get on this machine. */
export const CARD_GROUPS = readFileSync('/etc/group', 'utf8')
  .split('\n')
  .flatMap((line) => (/^(video|render):/.test(line) ? [line.split(':')[2] ?? ''] : []));

/** `docker …`, with its output. */
export const run = (...args: string[]) =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim();

/** smesh.yaml up to what is below `init:`. */
export function projectText(name: string): string {
  return `version: 1\nname: ${name}\nnetwork: mainnet\ncoinbase: ${COINBASE}\nnode: {user: '1000:1000'}\nidentities: []\ninit:`;
}

export interface GpuProject {
  readonly name: string;
  readonly directory: string;
}

export interface GpuProjects {
  /** A name of the stand-in of postcli that is this run's own: images that are built on it are named after its tag. */
  readonly base: string;
  readonly docker: () => DockerPort;
  readonly compose: () => ComposePort;
  /** What Compose builds for a vendor on top of `base`. */
  built(vendor: string): string;
  /** A project as `generate` writes it, a job and a data folder for each text, which is added to the job. */
  project(vendor: string, init: string, jobs: readonly string[]): Promise<GpuProject>;
}

/** To be called in the body of a suite; all that was made goes with it. */
export function gpuProjects(): GpuProjects {
  const folder = suiteTempFolder('gpu');
  const tag = `smt-${process.pid}-${randomBytes(3).toString('hex')}`;
  const base = `smesh-sim/postcli:${tag}`;
  const built = (vendor: string) => `smesh-compose/postcli-${vendor}:${tag}`;
  const made: GpuProject[] = [];
  let docker: DockerPort;
  let compose: ComposePort;

  beforeAll(async () => {
    const endpoint = await resolveEndpoint(process.env);
    docker = await createDocker(endpoint);
    compose = createCompose(endpoint, process.env);
    run('tag', POSTCLI_IMAGE, base);
  });

  afterAll(async () => {
    for (const { name, directory } of made) await compose.down({ name, directory, profiles: ['init'] });
    const images = [base, built('amd'), built('intel')].filter((image) => run('images', '-q', image) !== '');
    run('image', 'rm', ...images);
    // One that was built anew has left its predecessor without a name.
    for (const { name } of made)
      run('image', 'prune', '-f', '--filter', `label=com.docker.compose.project=${name}`);
  });

  return {
    base,
    built,
    docker: () => docker,
    compose: () => compose,
    async project(vendor, init, jobs) {
      const name = `smt-gpu-${vendor}-${tag}`;
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
        `${projectText(name)}\n  image: ${base}\n  gpu: ${vendor}\n${init}  jobs:\n${entries.join('')}`,
      );
      const generated = await runMain(['-C', directory, 'generate', '--yes']);
      expect(generated.code, generated.stderr).toBe(0);
      made.push({ name, directory });
      return { name, directory };
    },
  };
}
