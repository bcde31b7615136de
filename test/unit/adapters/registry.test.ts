import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createRegistry } from '../../../src/adapters/registry/index.ts';
import { TestRegistry } from '../../helpers/registry.ts';

const NAME = 'spacemeshos/go-spacemesh';
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function registry(options?: Parameters<typeof TestRegistry.start>[0]): Promise<TestRegistry> {
  const started = await TestRegistry.start(options);
  closers.push(() => started.stop());
  started.addTags(NAME, ['v1.7.5', 'v1.7.6', 'v1.7.7', 'v1.8.0-rc.1', 'v1.10.0', 'edge', 'v1.7.4']);
  return started;
}

async function server(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    started.closeAllConnections();
    return new Promise((resolve) => started.close(resolve));
  });
  return `127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const ask = (host: string, repository = NAME, timeoutMs = 5000) =>
  createRegistry().tags(host, repository, { timeoutMs });

describe('the tags of a repository', () => {
  it.each([
    ['with anonymous tokens, as Docker Hub', true],
    ['without', false],
  ])('%s: all pages of them', async (_, tokens) => {
    const here = await registry({ tokens });
    const answer = await ask(here.host);
    expect(answer.kind === 'tags' && [...answer.tags].sort()).toEqual(
      ['edge', 'v1.10.0', 'v1.7.4', 'v1.7.5', 'v1.7.6', 'v1.7.7', 'v1.8.0-rc.1'].sort(),
    );
    expect(here.asked.filter((path) => path === 'GET /token')).toHaveLength(tokens ? 1 : 0);
  });

  it('a repository that is not there is told from one that cannot be asked for', async () => {
    const here = await registry();
    expect(await ask(here.host, 'spacemeshos/nothing')).toEqual({
      kind: 'absent',
      reason: 'it has no spacemeshos/nothing',
    });
    const host = await server(() => {});
    await closers.pop()?.();
    expect(await ask(host)).toEqual({ kind: 'unknown', reason: `nobody listens at ${host}` });
    expect(await ask('registry.invalid')).toMatchObject({ kind: 'unknown' });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an error page', (_, response) => response.writeHead(502).end('<html>'), /HTTP 502/],
    ['something else', (_, response) => response.end('hello'), /does not speak as a registry/],
    ['tags that are no texts', (_, response) => response.end('{"tags":[1]}'), /does not speak as a registry/],
    ['too many questions', (_, response) => response.writeHead(429).end('{}'), /asked too often/],
    ['a broken connection', (request) => request.socket.destroy(), /127\.0\.0\.1/],
    [
      'pages without end',
      (_, response) => response.writeHead(200, { link: '</v2/x/tags/list>; rel="next"' }).end('{"tags":[]}'),
      /more than 50 pages/,
    ],
    [
      'a page on another host',
      (_, response) =>
        response.writeHead(200, { link: '<http://localhost:1/>; rel="next"' }).end('{"tags":[]}'),
      /another host/,
    ],
    [
      'a token service without tokens',
      (request, response) =>
        request.url?.startsWith('/token')
          ? response.end('{}')
          : response
              .writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` })
              .end('{}'),
      /gave no token/,
    ],
  ])('%s makes it unknown, never empty', async (_, listener, reason) => {
    const answer = await ask(await server(listener));
    expect(answer).toMatchObject({ kind: 'unknown' });
    expect(answer.kind === 'unknown' && answer.reason).toMatch(reason);
  });

  it('a registry that wants an account says so', async () => {
    const basic = await server((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    );
    expect(await ask(basic)).toEqual({ kind: 'absent', reason: 'it wants an account' });
  });

  it('waits no longer than it may', async () => {
    const silent = await server(() => {});
    expect(await ask(silent, NAME, 200)).toEqual({ kind: 'unknown', reason: 'no answer within 0.2 s' });
  });
});
