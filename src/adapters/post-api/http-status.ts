import { request } from 'node:http';
import { parseServiceStatus, type ServiceStatus } from '../../domain/proving/service-status.ts';

const UNREACHABLE = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENETDOWN',
  'EHOSTDOWN',
  'EACCES',
  'EPERM',
]);
const LONGEST_BODY = 4096;

/** Asks `GET /status` at an address. Never rejects. */
export function askByHttp(ip: string, port: number, timeoutMs: number): Promise<ServiceStatus> {
  return new Promise((resolve) => {
    let connected = false;
    // No shared agent: a connection kept alive would count as one more to a service that may be restarted.
    const call = request({ host: ip, port, path: '/status', method: 'GET', agent: false });
    const finish = (status: ServiceStatus): void => {
      clearTimeout(timer);
      resolve(status);
      call.destroy();
    };
    const timer = setTimeout(() => {
      finish(connected ? { kind: 'no-answer' } : { kind: 'unreachable', reason: 'no connection in time' });
    }, timeoutMs);
    call.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
      });
    });
    call.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > LONGEST_BODY) finish({ kind: 'malformed', reason: 'a long answer' });
      });
      response.on('end', () => {
        if (response.statusCode === 200) finish(parseServiceStatus(body));
        else finish({ kind: 'malformed', reason: `HTTP ${response.statusCode}` });
      });
      response.on('error', () => finish({ kind: 'no-answer' }));
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') finish({ kind: 'refused' });
      else if (UNREACHABLE.has(error.code ?? '')) finish({ kind: 'unreachable', reason: error.message });
      else if (String(error.code).startsWith('HPE_')) finish({ kind: 'malformed', reason: 'not HTTP' });
      // Closed in the middle: it may be ending just now. The next look will tell.
      else if (connected) finish({ kind: 'no-answer' });
      else finish({ kind: 'unreachable', reason: error.message });
    });
    call.end();
  });
}
