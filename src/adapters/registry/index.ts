import type { RegistryAnswer, RegistryPort } from '../../ports/registry.ts';
import { AskError, askJson, type Challenge, type Page, readChallenge } from './http.ts';

/** Where docker.io's API is: its name in images is none of a host. */
const DOCKER_HUB = 'registry-1.docker.io';

/** A repository with a tag for every commit has tens of thousands. */
const PAGE = 1000;
const MOST_PAGES = 50;

/** RegistryPort over HTTPS; plain HTTP only to this machine, as the engine has it for 127.0.0.0/8. */
export function createRegistry(): RegistryPort {
  return {
    async tags(registry, repository, { timeoutMs, signal }): Promise<RegistryAnswer> {
      const timeout = AbortSignal.timeout(timeoutMs);
      const both = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
      try {
        return { kind: 'tags', tags: await readTags(baseOf(registry), repository, both) };
      } catch (error) {
        signal?.throwIfAborted();
        if (timeout.aborted) return { kind: 'unknown', reason: `no answer within ${timeoutMs / 1000} s` };
        if (!(error instanceof AskError)) throw error;
        return { kind: error.absent ? 'absent' : 'unknown', reason: error.message };
      }
    },
  };
}

function baseOf(registry: string): URL {
  const host = registry === 'docker.io' ? DOCKER_HUB : registry;
  const isHere = /^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/.test(host);
  return new URL(`${isHere ? 'http' : 'https'}://${host}`);
}

async function readTags(base: URL, repository: string, signal: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  let url: URL | undefined = new URL(`/v2/${repository}/tags/list?n=${PAGE}`, base);
  let token: string | undefined;
  for (let pages = 0; url !== undefined; pages += 1) {
    if (pages === MOST_PAGES) throw new AskError(`more than ${MOST_PAGES} pages of tags`);
    let page: Page = await askJson(url, { signal, ...(token === undefined ? {} : { token }) });
    // A token may also have run out between two pages.
    if (page.status === 401) {
      token = await fetchToken(page, base, repository, signal);
      page = await askJson(url, { signal, token });
    }
    tags.push(...tagsIn(page, repository));
    url = nextPage(page.link, url);
  }
  return tags;
}

/** Anonymous: what everybody may pull, everybody may list. */
async function fetchToken(page: Page, base: URL, repository: string, signal: AbortSignal): Promise<string> {
  const challenge = readChallenge(page.authenticate);
  if (challenge === undefined) throw new AskError('it wants an account', true);
  const url = tokenUrl(challenge, base, repository);
  const answer = await askJson(url, { signal });
  if (answer.status !== 200) throw new AskError('it wants an account', true);
  const { token, access_token: accessToken } = (answer.body ?? {}) as Record<string, unknown>;
  const found = token ?? accessToken;
  if (typeof found !== 'string' || found === '') throw new AskError('its token service gave no token');
  return found;
}

function tokenUrl({ realm, service }: Challenge, base: URL, repository: string): URL {
  if (!URL.canParse(realm)) throw new AskError('its token service is no address');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== base.protocol) {
    throw new AskError('its token service is not encrypted');
  }
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repository}:pull`);
  return url;
}

function tagsIn({ status, body }: Page, repository: string): readonly string[] {
  if (status === 404) throw new AskError(`it has no ${repository}`, true);
  if (status === 401 || status === 403) throw new AskError('it wants an account', true);
  if (status === 429) throw new AskError('it was asked too often (HTTP 429)');
  if (status !== 200) throw new AskError(`it answered with HTTP ${status}`);
  const tags = typeof body === 'object' && body !== null && 'tags' in body ? body.tags : undefined;
  // A repository without tags has none, or null.
  if (tags === null) return [];
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
    throw new AskError('what answers does not speak as a registry does');
  }
  return tags;
}

/** RFC 8288: `</v2/…/tags/list?last=x>; rel="next"`. A token is not carried to another host. */
function nextPage(link: string | undefined, from: URL): URL | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, from.href)) return undefined;
  const url = new URL(target, from);
  if (url.origin !== from.origin) throw new AskError('it sends the question on to another host');
  return url;
}
