import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What one tag stands for. */
interface Tagged {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: Buffer;
}

export interface RegistryOptions {
  /** Without: everybody may read without a token, as simple mirrors have it. */
  readonly tokens?: boolean;
  /** Tags on one page, whatever is asked for. */
  readonly page?: number;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * An image registry (OCI distribution API v2) on this machine: anonymous tokens as Docker Hub has them, tags in pages,
 * manifests and blobs out of what `docker save` wrote. As strict as a real one: no token, or one for another repository,
 * is 401; an unknown name is 404.
 */
export class TestRegistry {
  readonly #server: Server;
  readonly #repositories = new Map<string, Map<string, Tagged>>();
  readonly #blobFolders = new Set<string>();
  readonly #tokens = new Map<string, string>();
  readonly #options: Required<RegistryOptions>;
  #port = 0;
  /** Every path that was asked for, in order. */
  readonly asked: string[] = [];

  private constructor(server: Server, options: Required<RegistryOptions>) {
    this.#server = server;
    this.#options = options;
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const server = createServer();
    const registry = new TestRegistry(server, { tokens: true, page: 3, ...options });
    server.on('request', (request, response) => registry.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    registry.#port = (server.address() as AddressInfo).port;
    return registry;
  }

  /** As it stands in the names of its images. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Tags that exist, but that nobody pulls. */
  addTags(repository: string, tags: readonly string[]): void {
    for (const tag of tags) this.#add(repository, tag, Buffer.from(`{"schemaVersion":2,"tag":"${tag}"}`));
  }

  /** All images of an unpacked `docker save` archive; `name` gives their places here. */
  addSaved(folder: string, name: (saved: string) => { repository: string; tag: string }): void {
    this.#blobFolders.add(join(folder, 'blobs', 'sha256'));
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    for (const { digest, annotations } of index.manifests) {
      const { repository, tag } = name(annotations['io.containerd.image.name'] ?? '');
      const manifest = readFileSync(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)));
      this.#add(repository, tag, manifest);
    }
  }

  removeTag(repository: string, tag: string): void {
    this.#repositories.get(repository)?.delete(tag);
  }

  #add(repository: string, tag: string, manifest: Buffer): void {
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    const tags = this.#repositories.get(repository) ?? new Map<string, Tagged>();
    tags.set(tag, { digest, mediaType: MANIFEST, manifest });
    this.#repositories.set(repository, tags);
  }

  #answer(request: IncomingMessage, response: ServerResponse): ServerResponse {
    const url = new URL(request.url ?? '/', `http://${this.host}`);
    this.asked.push(`${request.method} ${url.pathname}`);
    if (url.pathname === '/token') return this.#giveToken(url, response);
    if (url.pathname === '/v2/' || url.pathname === '/v2') {
      return this.#options.tokens && !this.#isKnown(request)
        ? this.#refuse(response)
        : send(response, 200, '{}');
    }
    const match = /^\/v2\/(.+)\/(tags\/list|manifests\/([^/]+)|blobs\/(sha256:[0-9a-f]{64}))$/.exec(
      url.pathname,
    );
    const [, repository = '', , reference, blob] = match ?? [];
    if (match === null) return fault(response, 404, 'UNSUPPORTED');
    if (this.#options.tokens && !this.#mayRead(request, repository))
      return this.#refuse(response, repository);
    const tags = this.#repositories.get(repository);
    if (tags === undefined) return fault(response, 404, 'NAME_UNKNOWN');
    if (blob !== undefined) return this.#giveBlob(request, response, blob);
    if (reference !== undefined) return giveManifest(request, response, tags, reference);
    return this.#giveTags(url, response, repository, [...tags.keys()]);
  }

  #giveToken(url: URL, response: ServerResponse): ServerResponse {
    const scope = /^repository:(.+):pull$/.exec(url.searchParams.get('scope') ?? '')?.[1];
    if (url.searchParams.get('service') !== 'test-registry') return fault(response, 400, 'UNAUTHORIZED');
    const token = randomBytes(16).toString('hex');
    this.#tokens.set(token, scope ?? '');
    return send(response, 200, JSON.stringify({ token, expires_in: 300 }));
  }

  #tokenOf(request: IncomingMessage): string | undefined {
    return this.#tokens.get(/^Bearer (\w+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
  }

  #isKnown(request: IncomingMessage): boolean {
    return this.#tokenOf(request) !== undefined;
  }

  #mayRead(request: IncomingMessage, repository: string): boolean {
    return this.#tokenOf(request) === repository;
  }

  #refuse(response: ServerResponse, repository?: string): ServerResponse {
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
    response.setHeader(
      'www-authenticate',
      `Bearer realm="http://${this.host}/token",service="test-registry"${scope}`,
    );
    return fault(response, 401, 'UNAUTHORIZED');
  }

  #giveTags(url: URL, response: ServerResponse, repository: string, all: readonly string[]): ServerResponse {
    const sorted = [...all].sort();
    const last = url.searchParams.get('last');
    const from = last === null ? 0 : sorted.findIndex((tag) => tag > last);
    const page = from < 0 ? [] : sorted.slice(from, from + this.#options.page);
    if (from >= 0 && from + page.length < sorted.length) {
      const next = `/v2/${repository}/tags/list?last=${encodeURIComponent(page.at(-1) ?? '')}&n=${this.#options.page}`;
      response.setHeader('link', `<${next}>; rel="next"`);
    }
    return send(response, 200, JSON.stringify({ name: repository, tags: page }));
  }

  #giveBlob(request: IncomingMessage, response: ServerResponse, digest: string): ServerResponse {
    const path = [...this.#blobFolders]
      .map((folder) => join(folder, digest.slice('sha256:'.length)))
      .find((file) => existsSync(file));
    if (path === undefined) return fault(response, 404, 'BLOB_UNKNOWN');
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': statSync(path).size,
      'docker-content-digest': digest,
    });
    return request.method === 'HEAD' ? response.end() : createReadStream(path).pipe(response);
  }
}

function giveManifest(
  request: IncomingMessage,
  response: ServerResponse,
  tags: ReadonlyMap<string, Tagged>,
  reference: string,
): ServerResponse {
  const found = tags.get(reference) ?? [...tags.values()].find(({ digest }) => digest === reference);
  if (found === undefined) return fault(response, 404, 'MANIFEST_UNKNOWN');
  response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': found.manifest.length,
    'docker-content-digest': found.digest,
  });
  return response.end(request.method === 'HEAD' ? undefined : found.manifest);
}

function send(response: ServerResponse, status: number, body: string): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function fault(response: ServerResponse, status: number, code: string): ServerResponse {
  return send(response, status, JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}
