import { readFileSync } from 'node:fs';
import type { ClientHttp2Session, ClientHttp2Stream, SecureClientSessionOptions } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectFaultText, SCHEME_MISSING } from './connect-faults.ts';
import { osErrorText, ServiceFailure } from './failure.ts';
import type { Log } from './log.ts';
import { debugText } from './metadata.ts';
import type { PostService } from './service.ts';
import type { Settings, TlsSettings } from './settings.ts';
import {
  decodeNodeRequest,
  encodeMetadataResponse,
  encodeProofResponse,
  STATUS_ERROR,
  STATUS_OK,
} from './wire.ts';

const KEEPALIVE_MS = 10 * 60 * 1000;
const STATUS_NAMES = [
  'Ok',
  'Cancelled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** Where the node is, checked as the real program checks it before it first connects. */
export interface NodeTarget {
  /** Undefined: the address has no scheme, and every attempt says so. */
  readonly url: URL | undefined;
  readonly tls: SecureClientSessionOptions | undefined;
}

/** Refuses at start what the real program refuses at start. Throws ServiceFailure. */
export function resolveTarget(settings: Settings): NodeTarget {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(settings.address)?.[1]?.toLowerCase();
  const tls = settings.tls === undefined ? undefined : readTls(settings.tls);
  if (scheme === undefined) return { url: undefined, tls: undefined };
  if (scheme !== 'http' && scheme !== 'https') {
    throw new ServiceFailure('unknown client protocol', 'service/src/client.rs:76:24');
  }
  if (scheme === 'https' && tls === undefined) {
    const message = 'client protocol set to https but tls configuration not provided';
    throw new ServiceFailure(message, 'service/src/client.rs:104:32');
  }
  const url = new URL(settings.address);
  return { url, tls: scheme === 'http' || tls === undefined ? undefined : withName(tls, settings, url) };
}

/** Registers with the node for ever; throws ServiceFailure once `--max-retries` attempts in a row failed. */
export async function serveNode(
  settings: Settings,
  target: NodeTarget,
  service: PostService,
  log: Log,
): Promise<never> {
  const pause = settings.reconnectIntervalSeconds * 1000;
  for (;;) {
    const session = await connectWithRetries(settings, target, log, pause);
    const end = await registerAndServe(session, service, log);
    session.destroy();
    log('info', 'post_service::client', `disconnected: ${end}`);
    await sleep(pause);
  }
}

async function connectWithRetries(
  settings: Settings,
  target: NodeTarget,
  log: Log,
  pause: number,
): Promise<ClientHttp2Session> {
  for (let failures = 1; ; failures += 1) {
    log('debug', 'post_service::client', `connecting to the node on ${settings.address}`);
    const outcome = await connect(target);
    if (typeof outcome !== 'string') return outcome;
    log('info', 'post_service::client', `could not connect to the node: ${outcome}`);
    if (settings.maxRetries !== undefined && failures > settings.maxRetries) {
      const message = `max retries (${settings.maxRetries}) reached`;
      throw new ServiceFailure(message, 'service/src/client.rs:134:29');
    }
    await sleep(pause);
  }
}

/** A session, or the words for why there is none. The name is resolved anew at each attempt. */
function connect(target: NodeTarget): Promise<ClientHttp2Session | string> {
  const { url } = target;
  if (url === undefined) return Promise.resolve(SCHEME_MISSING);
  // Loaded only now: fifty services that start at once should open their operator port first. (Not by `import`:
  // the launcher in the image compiles the bundle as a script, where that does not work.)
  const http2 = process.getBuiltinModule('node:http2');
  return new Promise((resolve) => {
    const session = http2.connect(url.origin, target.tls ?? {});
    session.once('connect', () => {
      session.on('error', () => {});
      resolve(session);
    });
    session.once('error', (error) => resolve(connectFaultText(error)));
  });
}

/** Opens the stream and answers requests one by one; resolves with how it ended, in tonic's words. */
function registerAndServe(session: ClientHttp2Session, service: PostService, log: Log): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/spacemesh.v1.PostService/Register',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'tonic/0.12.3',
    });
    const keepalive = setInterval(() => session.closed || session.ping(() => {}), KEEPALIVE_MS);
    let end =
      'Err(Status { code: Unknown, message: "h2 protocol error: error reading a body from connection" })';
    let queue = Promise.resolve();
    const onStatus = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) end = statusText(headers);
      else if (headers[':status'] !== 200)
        end = `Err(Status { code: Unknown, message: "http ${headers[':status']}" })`;
    };
    stream.on('response', (headers) => onStatus(headers));
    stream.on('trailers', (headers) => onStatus(headers));
    const frames = frameReader((message) => {
      queue = queue.then(() => answer(stream, message, service, log)).catch(() => stream.close());
    });
    stream.on('data', frames);
    stream.on('error', () => {});
    stream.on('end', () => stream.end());
    stream.on('close', () => {
      clearInterval(keepalive);
      resolve(end);
    });
    session.on('close', () => stream.destroy());
  });
}

async function answer(
  stream: ClientHttp2Stream,
  message: Buffer,
  service: PostService,
  log: Log,
): Promise<void> {
  const request = decodeNodeRequest(message);
  if (request.kind === 'metadata') {
    log('info', 'post_service::client', `obtained metadata: ${debugText(service.metadata)}`);
    send(stream, encodeMetadataResponse(service.metadata));
  } else if (request.kind === 'gen-proof') {
    send(stream, await pollForProof(request.challenge, service, log));
  } else {
    log('warn', 'post_service::client', 'Got a request with no kind');
    send(stream, encodeProofResponse(STATUS_ERROR));
  }
}

async function pollForProof(challenge: Buffer, service: PostService, log: Log): Promise<Buffer> {
  try {
    const done = await service.poll(challenge);
    if (done === undefined) log('debug', 'post_service::client', 'proof generation in progress');
    return encodeProofResponse(STATUS_OK, done);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log('error', 'post_service::client', `failed to generate proof: ${why}`);
    return encodeProofResponse(STATUS_ERROR);
  }
}

/** A gRPC frame: one byte for compression, four for the length. */
function send(stream: ClientHttp2Stream, message: Buffer): void {
  if (stream.destroyed || stream.writableEnded) return;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
}

function frameReader(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5) {
      const length = pending.readUInt32BE(1);
      if (pending.length < 5 + length) return;
      onMessage(pending.subarray(5, 5 + length));
      pending = pending.subarray(5 + length);
    }
  };
}

function statusText(headers: Record<string, unknown>): string {
  const code = Number(headers['grpc-status']);
  if (code === 0) return 'Ok(())';
  const message = decodeURIComponent(String(headers['grpc-message'] ?? ''));
  return `Err(Status { code: ${STATUS_NAMES[code] ?? code}, message: "${message}" })`;
}

function readTls(tls: TlsSettings): SecureClientSessionOptions {
  try {
    return { ca: readFileSync(tls.caCert), cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
  } catch (error) {
    throw new ServiceFailure(osErrorText(error), 'service/src/main.rs');
  }
}

/** The name in the certificate must match `--domain` or the host, as SAN only: rustls ignores the CN. */
function withName(tls: SecureClientSessionOptions, settings: Settings, url: URL): SecureClientSessionOptions {
  const servername = settings.tls?.domain ?? url.hostname;
  return {
    ...tls,
    servername,
    checkServerIdentity: (_host, certificate) => {
      const names = (certificate.subjectaltname ?? '').split(', ');
      if (names.includes(`DNS:${servername}`) || names.includes(`IP Address:${servername}`)) return undefined;
      return Object.assign(new Error('certificate is not for this name'), {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    },
  };
}
