/** Why a question got no answer. */
export class AskError extends Error {
  /** The registry itself says that there is nothing for us. */
  readonly absent: boolean;

  constructor(message: string, absent = false) {
    super(message);
    this.absent = absent;
  }
}

export interface Page {
  readonly status: number;
  readonly body: unknown;
  readonly link: string | undefined;
  readonly authenticate: string | undefined;
}

const LONGEST_BODY = 8 * 1024 * 1024;

/** One GET. Rejects with AskError for what the network or the server does wrong, with the signal's reason when aborted. */
export async function askJson(
  url: URL,
  { signal, token }: { readonly signal: AbortSignal; readonly token?: string },
): Promise<Page> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      signal,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    text = await readText(response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AskError) throw error;
    throw new AskError(describeFault(error, url.host));
  }
  const { status, headers } = response;
  return {
    status,
    link: headers.get('link') ?? undefined,
    authenticate: headers.get('www-authenticate') ?? undefined,
    body: parse(text),
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new AskError('its answer has no end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** An error page of a proxy is no JSON; the status says enough then. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says "fetch failed" for everything; the reason is in its cause. */
function describeFault(error: unknown, host: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name ${host} cannot be looked up`;
  if (code === 'ECONNREFUSED') return `nobody listens at ${host}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  return `${host}: ${message}`;
}

export interface Challenge {
  readonly realm: string;
  readonly service?: string;
}

/** `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",…` */
export function readChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || !/^bearer\s/i.test(header)) return undefined;
  const parts = new Map(
    [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  );
  const [realm, service] = [parts.get('realm'), parts.get('service')];
  if (realm === undefined) return undefined;
  return { realm, ...(service === undefined ? {} : { service }) };
}
