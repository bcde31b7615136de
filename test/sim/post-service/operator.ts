import { createServer } from 'node:http';
import type { Log } from './log.ts';
import type { PostService } from './service.ts';
import type { SocketAddress } from './settings.ts';

/**
 * The operator API: `GET /status`, anything else 404 or 405 (spacemesh.md §3.2). A port that is taken is not
 * noticed: the service runs without the API.
 */
export function startOperator(address: SocketAddress, service: PostService, log: Log): void {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/status') {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET,HEAD' }).end();
      return;
    }
    void service.status().then((status) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(status));
    });
  });
  server.on('error', () => {});
  server.listen(address.port, address.host);
  log('info', 'post_service::operator', `running operator service on ${address.text}`);
}
