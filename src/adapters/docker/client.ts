import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Docker from 'dockerode';
import { SmeshError } from '../../domain/errors.ts';
import type { EngineEndpoint } from './endpoint.ts';
import { engineError } from './engine-errors.ts';

/** A dockerode for exactly this engine, whatever DOCKER_HOST says (engineering.md §3.4). */
export async function openClient(endpoint: EngineEndpoint): Promise<Docker> {
  // `host: undefined` and `protocol` are named because docker-modem mixes in what it reads from DOCKER_HOST.
  if (endpoint.host.startsWith('unix://')) {
    return new Docker({
      socketPath: endpoint.host.slice('unix://'.length),
      host: undefined,
      protocol: 'http',
    });
  }
  if (endpoint.host.startsWith('npipe://')) {
    return new Docker({
      socketPath: endpoint.host.slice('npipe://'.length),
      host: undefined,
      protocol: 'http',
    });
  }
  const url = new URL(endpoint.host);
  const folder = endpoint.tlsFolder;
  if (folder === undefined) {
    return new Docker({ host: url.hostname, port: url.port || '2375', protocol: 'http' });
  }
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name))),
  );
  return new Docker({
    host: url.hostname,
    port: url.port || '2376',
    protocol: 'https',
    ...(ca && cert && key ? { ca, cert, key } : {}),
  });
}

/** How long the engine may take for a plain question; a loaded host with 150 containers needs seconds. */
export const QUESTION_TIMEOUT_MS = 20_000;

/**
 * Calls the engine and turns every fault into a SmeshError. docker-modem's own timeout is not used: it also ends
 * streams that are merely quiet.
 */
export async function ask<T>(
  endpoint: string,
  doing: string,
  call: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number = QUESTION_TIMEOUT_MS,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await call(signal);
  } catch (error) {
    if (error instanceof SmeshError) throw error;
    throw engineError(endpoint, doing, signal.aborted ? signal.reason : error);
  }
}

/** Asks by hand what dockerode's own methods get wrong; `stream` for an answer that is read as it comes. */
export function get(
  docker: Docker,
  path: string,
  options: { readonly query?: object; readonly stream?: boolean; readonly signal: AbortSignal },
): Promise<unknown> {
  return dial(docker, 'GET', path, options);
}

function dial(
  docker: Docker,
  method: 'GET' | 'POST',
  path: string,
  options: { readonly query?: object; readonly stream?: boolean; readonly signal: AbortSignal },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: options.query === undefined ? path : `${path}?`,
        method,
        isStream: options.stream ?? false,
        abortSignal: options.signal,
        statusCodes: { 200: true, 404: 'not found', 500: 'server error' },
        ...(options.query === undefined ? {} : { options: options.query }),
      },
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
  });
}

/**
 * Asks for the next exit of a container. Resolves when the engine has taken note of the question, with the exit code to
 * come: a question that reaches it after a quick program's end would wait for an exit that never comes.
 */
export async function listenForExit(
  docker: Docker,
  container: string,
  signal: AbortSignal,
): Promise<{ readonly exitCode: Promise<number> }> {
  const path = `/containers/${container}/wait`;
  const query = { condition: 'next-exit' };
  const stream = (await dial(docker, 'POST', path, { query, stream: true, signal })) as AsyncIterable<Buffer>;
  const exitCode = readExit(stream);
  exitCode.catch(() => undefined);
  return { exitCode };
}

async function readExit(stream: AsyncIterable<Buffer>): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const { StatusCode: code } = JSON.parse(Buffer.concat(chunks).toString()) as { StatusCode: unknown };
  if (typeof code !== 'number') throw new Error('an exit without a code');
  return code;
}
