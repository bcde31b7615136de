import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeNode } from './fake-node.ts';
import {
  bundleStandIn,
  freePort,
  type Running,
  removeScratch,
  scratch,
  start,
  until,
} from './run-stand-in.ts';

/** The name in the server's certificate; the address has another one, `--domain` bridges them. */
const SERVER_NAME = 'node';

let bundle = '';
let folder = '';
let node: FakeNode | undefined;
let service: Running | undefined;

beforeAll(async () => {
  bundle = await bundleStandIn('post-service');
  folder = makeCertificates();
});
afterEach(async () => {
  node?.kill();
  await service?.stop();
});
afterAll(removeScratch);

describe('post-service stand-in over TLS with client certificates', () => {
  it('registers when both certificates are of the same authority', async () => {
    await connect('client', SERVER_NAME);
    await until('it is registered', () => node?.registrations.length === 1);
    expect(service?.stderr()).toContain('configuring TLS: server:');
  });

  it('says at every attempt that the certificate is for another name', async () => {
    await connect('client', 'other');
    const line = 'InvalidCertificate(NotValidForName)';
    await until('two refusals', () => (service?.stderr().split(line).length ?? 0) > 2);
    expect(node?.registrations).toHaveLength(0);
  });

  it('cannot register with a certificate of another authority', async () => {
    await connect('stranger', SERVER_NAME);
    await until('it was cut off', () => /disconnected|could not connect/.test(service?.stderr() ?? ''));
    expect(node?.registrations).toHaveLength(0);
  });

  it('ends at once when a certificate file is missing', async () => {
    await connect('nobody', SERVER_NAME);
    expect(await service?.ended).toMatchObject({ exit: 1 });
  });
});

async function connect(certificate: string, domain: string): Promise<void> {
  const pem = (name: string) => readFileSync(join(folder, name));
  const pair = { private_key: pem('server.key'), cert_chain: pem('server.crt') };
  const port = await freePort();
  node = await FakeNode.listen(port, ServerCredentials.createSsl(pem('ca.crt'), [pair], true));
  const where = [
    '--dir',
    makeData(),
    '--address',
    `https://127.0.0.1:${port}`,
    '--reconnect-interval-s',
    '1',
  ];
  const tls = ['--ca-cert', join(folder, 'ca.crt'), '--domain', domain];
  const own = ['--cert', join(folder, `${certificate}.crt`), '--key', join(folder, `${certificate}.key`)];
  service = start(bundle, [...where, '--threads', '1', '--min-num-units', '1', ...tls, ...own]);
}

function makeData(): string {
  const dir = join(scratch(), 'post');
  mkdirSync(dir);
  const bytes = Buffer.alloc(32, 3).toString('base64');
  const metadata = {
    NodeId: bytes,
    CommitmentAtxId: bytes,
    LabelsPerUnit: 64,
    NumUnits: 1,
    MaxFileSize: 1024,
  };
  writeFileSync(join(dir, 'postdata_metadata.json'), JSON.stringify(metadata));
  return dir;
}

/** An authority, a server and a client of it, and a stranger that signed itself. */
function makeCertificates(): string {
  const dir = scratch();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const self = (name: string) =>
    openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
  self('ca');
  self('stranger');
  writeFileSync(join(dir, 'san.cnf'), `subjectAltName=DNS:${SERVER_NAME}\n`);
  for (const name of ['server', 'client']) {
    openssl(
      'req',
      ...key.slice(0, -2),
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-extfile', 'san.cnf', '-out', `${name}.crt`);
  }
  return dir;
}
