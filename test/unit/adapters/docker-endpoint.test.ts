import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../../src/adapters/docker/endpoint.ts';
import { tempFolder } from '../../helpers/temp.ts';

const PATH = process.env.PATH ?? '';

/** A docker configuration folder. */
function configuration(currentContext?: string): Record<string, string> {
  const folder = join(tempFolder('docker-config'), '.docker');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(currentContext ? { currentContext } : {}));
  return { PATH, DOCKER_CONFIG: folder };
}

describe('the engine that both clients are to use', () => {
  it('is the local socket by default', async () => {
    const endpoint = await resolveEndpoint(configuration());
    expect(endpoint.host).toBe('unix:///var/run/docker.sock');
    expect(endpoint.cliEnvironment).toEqual({ DOCKER_HOST: 'unix:///var/run/docker.sock' });
  });

  it('is DOCKER_HOST before any context, as for the CLI', async () => {
    const env = { ...configuration('lab'), DOCKER_HOST: 'unix:///run/other.sock', DOCKER_CONTEXT: 'lab' };
    expect((await resolveEndpoint(env)).host).toBe('unix:///run/other.sock');
  });

  it('takes a host without scheme for tcp', async () => {
    expect((await resolveEndpoint({ DOCKER_HOST: '10.0.0.7:2375' })).host).toBe('tcp://10.0.0.7:2375');
  });

  it('carries TLS to both clients', async () => {
    const env = { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' };
    const endpoint = await resolveEndpoint(env);
    expect(endpoint.tlsFolder).toBe('/certs');
    expect(endpoint.cliEnvironment).toEqual(env);
  });

  it('is the context that was chosen, asked of the docker command', async () => {
    const env = configuration();
    const { execFileSync } = await import('node:child_process');
    const create = ['context', 'create', 'lab', '--docker', 'host=tcp://127.0.0.1:23999'];
    execFileSync('docker', create, { env, stdio: 'pipe' });
    expect((await resolveEndpoint({ ...env, DOCKER_CONTEXT: 'lab' })).host).toBe('tcp://127.0.0.1:23999');
    execFileSync('docker', ['context', 'use', 'lab'], { env, stdio: 'pipe' });
    expect((await resolveEndpoint(env)).host).toBe('tcp://127.0.0.1:23999');
  });

  it.each([
    ['ssh is refused in words', { DOCKER_HOST: 'ssh://me@there' }, 'engine-ssh'],
    ['nonsense is refused', { DOCKER_HOST: 'ftp://x' }, 'bad-docker-host'],
  ])('%s', async (_, env, code) => {
    await expect(resolveEndpoint(env)).rejects.toMatchObject({ code, exitCode: 4 });
  });

  it('says which context is not there', async () => {
    const env = { ...configuration(), DOCKER_CONTEXT: 'gone' };
    await expect(resolveEndpoint(env)).rejects.toMatchObject({ code: 'bad-docker-context', exitCode: 4 });
  });
});
