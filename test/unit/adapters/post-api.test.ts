import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askByHttp } from '../../../src/adapters/post-api/http-status.ts';
import { createPostApi } from '../../../src/adapters/post-api/index.ts';
import { parseHttpAnswer } from '../../../src/adapters/post-api/inside-status.ts';
import type { DockerPort, EngineFacts } from '../../../src/ports/docker.ts';

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function answering(text: string): (socket: Socket) => void {
  return (socket) => socket.once('data', () => socket.end(text));
}

function http(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

describe('asking a post-service at its address', () => {
  it('reads its answer', async () => {
    const port = await serve(answering(http('"Idle"')));
    expect(await askByHttp('127.0.0.1', port, 1000)).toEqual({ kind: 'idle' });
  });

  it('tells a service that is silent from one that is not there', async () => {
    const silent = await serve(() => undefined);
    expect(await askByHttp('127.0.0.1', silent, 200)).toEqual({ kind: 'no-answer' });
    expect(await askByHttp('127.0.0.1', 1, 1000)).toEqual({ kind: 'refused' });
  });

  it('says nothing of a service when there is no way to it', async () => {
    // Reserved for documentation: routers drop it, say so, or answer in its place.
    expect((await askByHttp('203.0.113.1', 50051, 200)).kind).toMatch(/unreachable|refused/);
  });

  it.each([
    ['a proxy', http('"Idle"', '502 Bad Gateway')],
    ['an answer that is cut', 'HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{"Proving":'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['an endless answer', http('x'.repeat(100_000))],
  ])('never takes %s for idle', async (_, text) => {
    const port = await serve(answering(text));
    expect((await askByHttp('127.0.0.1', port, 1000)).kind).toMatch(/malformed|no-answer/);
  });

  it('takes a connection that is closed without a word for no answer', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.destroy()));
    expect(await askByHttp('127.0.0.1', port, 1000)).toEqual({ kind: 'no-answer' });
  });
});

describe('what a shell in the container read', () => {
  it('is head and body', () => {
    const answer = 'HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n"DoneProving"';
    expect(parseHttpAnswer(answer)).toEqual({ kind: 'done-proving' });
    expect(parseHttpAnswer('')).toMatchObject({ kind: 'malformed' });
    expect(parseHttpAnswer('HTTP/1.0 200 OK\r\ncontent-length: 60\r\n\r\n"Idle"')).toEqual({
      kind: 'no-answer',
    });
    expect(parseHttpAnswer('HTTP/1.0 404 Not Found\r\n\r\n"Idle"')).toMatchObject({ kind: 'malformed' });
  });
});

describe('the way to a post-service', () => {
  const ours: Partial<EngineFacts> = { name: 'here', rootless: false, desktop: false };

  /** Only what the choice depends on; anything else that is asked for fails the test. */
  function engine(facts: Partial<EngineFacts>, endpoint = 'unix:///var/run/docker.sock'): DockerPort {
    const inside = 'HTTP/1.0 200 OK\r\n\r\n"DoneProving"';
    const exec = async () => ({ exitCode: 0, timedOut: false, stdout: inside, stderr: '', truncated: false });
    return { endpoint, engine: async () => facts, exec } as unknown as DockerPort;
  }

  const cases: [string, DockerPort, string][] = [
    ['is its address with an engine on this machine', engine(ours), 'idle'],
    ['is an exec with a rootless engine', engine({ ...ours, rootless: true }), 'done-proving'],
    ['is an exec with Docker Desktop', engine({ ...ours, desktop: true }), 'done-proving'],
    ['is an exec with an engine on another machine', engine({ ...ours, name: 'there' }), 'done-proving'],
    ['is an exec with an engine behind TCP', engine(ours, 'tcp://127.0.0.1:2375'), 'done-proving'],
  ];
  it.each(cases)('%s', async (_, docker, kind) => {
    const port = await serve(answering(http('"Idle"')));
    const api = createPostApi(docker, 'here');
    expect(await api.status({ containerId: 'x', ip: '127.0.0.1', port }, 1000)).toEqual({ kind });
  });

  it('does not matter when the engine is gone: unreachable, not an exception', async () => {
    const docker = { ...engine(ours), engine: () => Promise.reject(new Error('engine down')) };
    const api = createPostApi(docker as unknown as DockerPort, 'here');
    expect(await api.status({ containerId: 'x' }, 100)).toEqual({
      kind: 'unreachable',
      reason: 'engine down',
    });
  });
});
