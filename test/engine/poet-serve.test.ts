import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyOfFile } from '../../src/domain/poet/own-poet.ts';
import { makePostDirectory } from '../helpers/post-data.ts';
import { runCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { keepContainerLogs } from '../helpers/transcripts.ts';
import { docker } from './support/project.ts';

const IMAGE = process.env['SMESH_POET_IMAGE'] ?? 'smesh-sim/poet:v0.10.8';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a PoET service of the project', () => {
  const base = suiteTempFolder('poet-serve');
  const folder = join(base, 'project');
  const name = `poet-serve-${process.pid}`;
  const compose = (...args: string[]) =>
    docker(
      'compose',
      '--project-directory',
      folder,
      '-f',
      join(folder, 'compose.yaml'),
      '--profile',
      'poet',
      ...args,
    );
  const inspect = (format: string) => docker('inspect', `${name}-poet-1`, '--format', format);
  let port: number;

  beforeAll(async () => {
    mkdirSync(folder);
    const { smesherId, path } = makePostDirectory(join(base, 'post'), { network: 'testnet' });
    writeFileSync(
      join(folder, 'smesh.yaml'),
      `version: 1\nname: ${name}\nnetwork: testnet\ncoinbase: stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa\nnode: {user: '1000:1000'}\npoet: {servers: [{address: 'https://poet.example.org', pubkey: cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=}]}\nidentities: [{id: '${smesherId}', name: post-0001, data: ${path}}]\n`,
    );
    port = await freePort();
    const run = await runCli(['-C', folder, 'poet', 'serve', '--use', '--port', `${port}`, '--image', IMAGE]);
    expect(run.code, run.stderr).toBe(0);
  });

  afterAll(async () => {
    await keepContainerLogs(name);
    await compose('down', '--timeout', '5').catch(() => undefined);
  });

  const pubkey = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/info`);
    const info = (await response.json()) as { servicePubkey: string; phaseShift: string; cycleGap: string };
    expect(info).toMatchObject({ phaseShift: '43200s', cycleGap: '7200s' });
    return info.servicePubkey;
  };

  it('starts with plain Compose, is healthy, stops on SIGINT with 0, and keeps its key', async () => {
    const key = publicKeyOfFile(readFileSync(join(folder, 'poet/poet.env'), 'utf8'));
    await compose('up', '-d', '--wait', 'poet');
    expect(await pubkey()).toBe(key);
    expect(
      await docker(
        'ps',
        '-a',
        '--filter',
        `label=com.docker.compose.project=${name}`,
        '--format',
        '{{.Names}}',
      ),
    ).toBe(`${name}-poet-1`);
    expect(await inspect('{{.Config.User}} {{.Config.StopSignal}}')).toBe('1000:1000 SIGINT');
    const began = Date.now();
    await compose('stop', 'poet');
    expect(Date.now() - began, 'SIGINT is heard, the grace period of 2 min not used').toBeLessThan(20_000);
    expect(await inspect('{{.State.ExitCode}}')).toBe('0');
    await compose('up', '-d', '--wait', 'poet');
    expect(await pubkey()).toBe(key);
  });

  it('is asked by check at its port on this host', async () => {
    const run = await runCli(['-C', folder, 'poet', 'check', 'http://poet:8080', '--json']);
    const document = JSON.parse(run.stdout);
    expect(document.servers).toMatchObject([{ address: 'http://poet:8080', inList: true, reachable: true }]);
    // The rounds that are over it did not run, and cannot have.
    expect(document.findings.map(({ code }: { code: string }) => code)).not.toContain('poet-key');
    expect(run.code).toBe(0);
  });

  it('shows its private key to nobody who may ask the engine', async () => {
    const secret = readFileSync(join(folder, 'poet/poet.env'), 'utf8')
      .trim()
      .slice('POET_PRIVATE_KEY='.length);
    expect(secret).toHaveLength(88);
    const told = [
      await docker('inspect', `${name}-poet-1`),
      await compose('config'),
      await compose('logs', 'poet'),
      readFileSync(join(folder, 'compose.yaml'), 'utf8'),
    ];
    for (const text of told) expect(text).not.toContain(secret.slice(0, 20));
  });

  it('says what stopping it costs, and goes with the whole project', async () => {
    const stopped = await runCli(['-C', folder, 'stop', 'poet']);
    expect(stopped).toMatchObject({ code: 0 });
    expect(stopped.stderr).toContain('Start it again: docker compose --profile poet up -d poet');
    await keepContainerLogs(name);
    expect(await runCli(['-C', folder, 'down'])).toMatchObject({ code: 0 });
    const left = ['ps', '-aq', '--filter', `label=com.docker.compose.project=${name}`];
    expect(await docker(...left)).toBe('');
  });
});
