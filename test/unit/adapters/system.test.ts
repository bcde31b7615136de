import { createServer, type Server } from 'node:net';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSystem } from '../../../src/adapters/system/index.ts';
import { isInTheWay, parseListeners } from '../../../src/adapters/system/listeners.ts';

const system = createSystem(process.env);

async function listen(host: string): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host }, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('who listens on a port', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['::1', '::'],
  ])('one on %s is in the way of one who wants %s', async (host, wanted) => {
    const port = await listen(host);
    const owner = await system.portOwner(port, wanted);
    expect(owner?.pid).toBe(process.pid);
    expect(owner?.description).toMatch(new RegExp(`\\(pid ${process.pid}\\)$`));
  });

  it('one on another address is not', async () => {
    const port = await listen('127.0.0.1');
    expect(await system.portOwner(port, '127.0.0.2')).toBeUndefined();
  });

  it('a port that was closed again is free', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    expect(await system.portOwner(port, '127.0.0.1')).toBeUndefined();
  });
});

describe('the tables of the kernel', () => {
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const rest = '00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0';

  it('give address, port and inode of what listens, nothing else', () => {
    const table = `${head}   0: 0100007F:2384 00000000:0000 0A ${rest}\n   1: 0100007F:2385 0100007F:0016 01 ${rest}\n`;
    expect(parseListeners(table)).toEqual([{ address: '127.0.0.1', port: 9092, inode: '4711' }]);
  });

  it.each([
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000001000000', '::1'],
    ['0000000000000000FFFF00000100007F', '127.0.0.1'],
    ['B80D0120000000000000000001000000', '2001:db8:0:0:0:0:0:1'],
  ])('IPv6 %s is %s', (hex, address) => {
    const [listener] = parseListeners(
      `${head}   0: ${hex}:1D59 00000000000000000000000000000000:0000 0A ${rest}\n`,
    );
    expect(listener).toMatchObject({ address, port: 7513 });
  });

  it('compare addresses', () => {
    const listener = { address: '10.0.0.1', port: 7513, inode: '1' };
    expect(isInTheWay(listener, 7513, '0.0.0.0')).toBe(true);
    expect(isInTheWay(listener, 7513, '10.0.0.2')).toBe(false);
    expect(isInTheWay(listener, 7514, '0.0.0.0')).toBe(false);
  });
});

describe('the machine', () => {
  it('has memory to give and a user', () => {
    expect(system.availableMemoryBytes).toBeGreaterThan(0);
    expect(system.availableMemoryBytes).toBeLessThanOrEqual(system.totalMemoryBytes);
    expect(system.user.uid).toBe(process.getuid?.());
  });

  it.runIf(process.getuid?.() === 0)('knows who called sudo, and nobody made up (needs root)', () => {
    expect(createSystem({ SUDO_UID: '1000', SUDO_GID: '1001' }).sudoUser).toEqual({ uid: 1000, gid: 1001 });
    expect(createSystem({ SUDO_UID: '1000' }).sudoUser).toBeUndefined();
    expect(createSystem({ SUDO_UID: 'x', SUDO_GID: '1' }).sudoUser).toBeUndefined();
  });
});
