import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composeEnvironment, createCompose } from '../../../src/adapters/compose-cli/index.ts';
import { failureLines, parseProgress } from '../../../src/adapters/compose-cli/progress.ts';
import { projectFiles } from '../../../src/adapters/compose-cli/project-files.ts';
import { parseComposeVersion } from '../../../src/adapters/compose-cli/versions.ts';
import { tempFolder } from '../../helpers/temp.ts';

const endpoint = { host: 'unix:///run/x.sock', cliEnvironment: { DOCKER_HOST: 'unix:///run/x.sock' } };

/** A PATH with nothing but the given programs, each a shell script. */
function pathWith(programs: Readonly<Record<string, string>>): { readonly PATH: string } {
  const folder = join(tempFolder('bin'), 'bin');
  mkdirSync(folder);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return { PATH: folder };
}

describe('the version of Compose', () => {
  it.each([
    ['2.26.1-4\n', [2, 26, 1]],
    ['v5.0.2', [5, 0, 2]],
    ['2.40.3-desktop.1\n', [2, 40, 3]],
    ['2.24', [2, 24, 0]],
  ])('%j', (text, numbers) => {
    const version = parseComposeVersion(text);
    expect([version?.major, version?.minor, version?.patch]).toEqual(numbers);
  });

  it('is not read from other output', () => {
    expect(parseComposeVersion("docker: 'compose' is not a docker command.")).toBeUndefined();
  });

  const refusals: [string, Record<string, string>, string][] = [
    ['no docker at all', {}, 'docker-cli-missing'],
    ['docker without compose', { docker: 'echo "not a docker command" >&2; exit 1' }, 'compose-missing'],
    ['S20: only docker-compose v1', { docker: 'exit 1', 'docker-compose': 'echo 1.29.2' }, 'compose-v1'],
    ['a Compose without start_interval', { docker: 'echo 2.23.3' }, 'compose-too-old'],
  ];
  it.each(refusals)('%s is refused with exit 4', async (_, programs, code) => {
    const compose = createCompose(endpoint, pathWith(programs));
    await expect(compose.version()).rejects.toMatchObject({ code, exitCode: 4 });
  });
});

describe('the environment of Compose', () => {
  it('leads to the engine that was chosen and to no other project', () => {
    const env = {
      PATH: '/bin',
      MY_TAG: 'v1',
      COMPOSE_FILE: 'other.yaml',
      COMPOSE_PROJECT_NAME: 'other',
      COMPOSE_PROFILES: 'init',
      DOCKER_CONTEXT: 'elsewhere',
      DOCKER_HOST: 'tcp://elsewhere:2375',
      DOCKER_CERT_PATH: '/elsewhere',
    };
    expect(composeEnvironment(endpoint, env)).toEqual({
      PATH: '/bin',
      MY_TAG: 'v1',
      DOCKER_HOST: 'unix:///run/x.sock',
    });
  });
});

describe('progress', () => {
  it.each([
    [' Container smesh-node-1  Creating', { kind: 'container', name: 'smesh-node-1', status: 'Creating' }],
    [' Container smesh-node-1 Created ', { kind: 'container', name: 'smesh-node-1', status: 'Created' }],
    [' Network smesh_default  Created', { kind: 'network', name: 'smesh_default', status: 'Created' }],
    [' node Pulling ', { kind: 'image', name: 'node', status: 'Pulling' }],
  ])('%j', (line, progress) => {
    expect(parseProgress(line)).toEqual(progress);
  });

  it('is nothing else', () => {
    expect(parseProgress('service "node" refers to undefined network')).toBeUndefined();
  });

  it('is left out of what Compose says about a failure', () => {
    const stderr = [
      'time="2026-01-01T00:00:00Z" level=warning msg="The \\"X\\" variable is not set."',
      ' Container a-1  Creating',
      'Error response from daemon: invalid mount config for type "bind"',
    ].join('\n');
    expect(failureLines(stderr)).toEqual(['invalid mount config for type "bind"']);
  });
});

describe('running docker compose', () => {
  const project = { name: 'p', directory: '/p with blank', files: ['/p with blank/a $b.yaml'] };

  it('passes arguments as they are, to the project that was named', async () => {
    const script =
      'if [ "$2" = version ]; then echo 2.26.1; else for a in "$@"; do printf "%s\\n" "$a" >&2; done; exit 3; fi';
    const compose = createCompose(endpoint, pathWith({ docker: script }));
    const failure = await compose
      .create(project, { services: ['post-0001'] })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'compose-failed', exitCode: 4 });
    const { details } = failure as { details: string[] };
    expect(details.slice(0, 7)).toEqual([
      'compose',
      '--project-name',
      'p',
      '--file',
      '/p with blank/a $b.yaml',
      '--project-directory',
      '/p with blank',
    ]);
  });

  it('is ended with all that it started when the user cancels', async () => {
    const folder = tempFolder('cancel');
    const script = [
      'if [ "$2" = version ]; then echo 2.26.1; exit 0; fi',
      `/bin/sleep 60 & echo $! > ${folder}/pid`,
      'wait',
    ].join('\n');
    const compose = createCompose(endpoint, pathWith({ docker: script }));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);
    const run = compose.create(project, { services: [], signal: controller.signal });
    await expect(run).rejects.toMatchObject({ code: 'cancelled', exitCode: 130 });
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

/** A zombie that nobody has waited for yet is dead, too. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the files of a project', () => {
  it('are compose.yaml and the override that Compose itself would take', async () => {
    const directory = tempFolder('files');
    const project = { name: 'p', directory };
    expect(await projectFiles(project)).toEqual([join(directory, 'compose.yaml')]);
    writeFileSync(join(directory, 'docker-compose.override.yml'), '');
    writeFileSync(join(directory, 'compose.override.yaml'), '');
    expect(await projectFiles(project)).toEqual([
      join(directory, 'compose.yaml'),
      join(directory, 'compose.override.yaml'),
    ]);
  });
});
