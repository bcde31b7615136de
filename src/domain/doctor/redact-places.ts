import type { Pseudonyms } from './pseudonyms.ts';

/** Names of hosts that say nothing about a user: where images, servers of the network and public clocks are. */
const PUBLIC_HOSTS =
  /(?:^|\.)(?:spacemesh\.(?:network|io)|docker\.(?:io|com)|github\.com|ghcr\.io|quay\.io|pool\.ntp\.org|ntp\.org|time\.google\.com|time\.cloudflare\.com)$/i;

/** Dotted words that are no hosts: files, labels, services of gRPC, keys of smesh.yaml and of the node. */
const FILE_NAME =
  /^[\w-]+(?:\.[\w-]+)*\.(?:yaml|yml|json|sql|key|bin|log|txt|toml|tar|lock|pid|proto|service|sock|icd|conf|tgz)$/i;
/** These are domains of countries too: only a single word before them is taken for a file. */
const SOURCE_FILE = /^[\w-]+\.(?:go|rs|ts|js|mjs|cjs|md|sh|so|py|gz)$/i;
const DOTTED_NAME =
  /^(?:com\.docker\.|io\.smesh-compose\b|com\.centurylinklabs\.|com\.ouroboros\.|spacemesh\.v\d|rpc\.api\.|grpc\.|google\.(?:rpc|protobuf)|default\.|runc\.|io\.containerd|org\.opencontainers\.|wud\.watch$)/i;
const SETTING =
  /^(?:node|poet|defaults|init|network|ports|identities|main|smeshing|api)\.(?:servers|phaseShift|cycleGap|gracePeriod|requestTimeout|image|ports|data|config|user|memory|subnet|threads|nonces|standalone|p2p|publicApi|privateApi|jobs|log)$/;

/** Behind it the node writes which part of it speaks: `node.nipostBuilder`. */
const LOGGER_BEFORE = /\t(?:DEBUG|INFO|WARN|ERROR|DPANIC|PANIC|FATAL)\t$/;

const FQDN = /(?<![\w@.[-])(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z]{2,24}\.?(?![\w-])/gi;
const IPV4 = /(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d]|\.\d)/g;
const IPV6 =
  /(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?:%[\w.-]+)?(?![\w:])/gi;
const MAC = /(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])/gi;
const MULTIADDR = /\/(?:ip4|ip6|ip6zone|dns|dns4|dns6|dnsaddr|p2p|ipfs)\/[^\s"'`,;)\]}<>]+/g;
const PEER = /\b(?:12D3Koo[1-9A-HJ-NP-Za-km-z]{20,}|Qm[1-9A-HJ-NP-Za-km-z]{40,})/g;
const EMAIL = /[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi;
const URL_LIKE = /(?<![a-z0-9])([a-z][a-z0-9+.-]{0,20}):\/\/([^\s"'`<>)\]}\\,;]+)/gi;

/** Paths of APIs that are public knowledge; any other path of a foreign host may be a secret (webhooks). */
const KNOWN_PATH = /^\/?$|^\/v1\/(?:info|pow_params|submit|proofs\/\d+)\/?$|^\/(?:status|certify)\/?$/;
/** This very host and the network of the project: no place in the world. */
const OWN_HOST = /^(?:localhost|node|post-\d+|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[?::1?\]?)$/i;

/** `https://user:secret@poet.example:8080/x?token=y` → `https://[blanked]@[host-1]:8080/[path]?[blanked]`. */
export function redactUrls(text: string, names: Pseudonyms): string {
  return text.replace(URL_LIKE, (whole: string, scheme: string, rest: string) => {
    if (scheme.toLowerCase() === 'unix' || scheme.toLowerCase() === 'npipe') return whole;
    const at = rest.search(/[/?#]/);
    const authority = at < 0 ? rest : rest.slice(0, at);
    const tail = at < 0 ? '' : rest.slice(at);
    const user = authority.lastIndexOf('@');
    const place = authority.slice(user + 1);
    const [, host = place, port = ''] = /^(\[[^\]]*\]?|[^:]*)(:\d+)?/.exec(place) ?? [];
    const shown =
      OWN_HOST.test(host) || PUBLIC_HOSTS.test(host) ? host : names.of('host', host.toLowerCase());
    const query = tail.search(/[?#]/);
    const path = query < 0 ? tail : tail.slice(0, query);
    const known = KNOWN_PATH.test(path) || (OWN_HOST.test(host) && path.length < 64);
    return [
      `${scheme}://`,
      user >= 0 ? '[blanked]@' : '',
      shown,
      port,
      known || PUBLIC_HOSTS.test(host) ? path : '/[path]',
      query >= 0 ? '?[blanked]' : '',
    ].join('');
  });
}

/** Multiaddrs, peers, accounts of mail, addresses of cards: whatever leads to a machine or a person. */
export function redactContacts(text: string, names: Pseudonyms): string {
  return text
    .replace(MULTIADDR, (found) => names.of('multiaddr', found))
    .replace(PEER, (found) => names.of('peer', found))
    .replace(/[^\s:@/"'`[\]]{1,80}:[^\s@/"'`]{1,120}@(?!sha256:)[\w.-]+/g, '[blanked]@[blanked]')
    .replace(EMAIL, (found) => names.of('email', found.toLowerCase()));
}

function isIpv6(text: string): boolean {
  const bare = text.replace(/%.*$/, '');
  const groups = bare.split(':');
  // `12:34:56` is a time of day; `::` alone or eight groups make an address.
  return bare.includes('::') ? groups.length <= 8 && bare !== ':::' : groups.length === 8;
}

/** Internet addresses; those that every machine has (127.0.0.1, 0.0.0.0, ::1, ::) stay. */
export function redactAddresses(text: string, names: Pseudonyms): string {
  return text
    .replace(MAC, (found) => names.of('mac', found.toLowerCase()))
    .replace(IPV6, (found) => {
      const address = found.toLowerCase();
      if (!isIpv6(address)) return found;
      return /^(?:::1?|0:0:0:0:0:0:0:[01])$/.test(address) ? found : names.of('ip', address);
    })
    .replace(IPV4, (found) => (/^127\.|^0\.0\.0\.0$/.test(found) ? found : names.of('ip', found)));
}

/** Every dotted name that is not known to be something else. */
export function redactHosts(text: string, names: Pseudonyms, hostNames: readonly string[]): string {
  const dotted = text.replace(FQDN, (found: string, at: number) => {
    const name = found.replace(/\.$/, '');
    if (/^node\.\w+$/i.test(name) && LOGGER_BEFORE.test(text.slice(Math.max(0, at - 12), at))) return found;
    const harmless = [PUBLIC_HOSTS, FILE_NAME, SOURCE_FILE, DOTTED_NAME, SETTING].some((known) =>
      known.test(name),
    );
    return harmless ? found : names.of('host', name.toLowerCase());
  });
  return hostNames.reduce(
    (result, host) => replaceWord(result, host, () => names.of('host', host.toLowerCase())),
    dotted,
  );
}

/** Words that many machines have for a user: blanking them would only make a report harder to read. */
const COMMON_USERS = new Set([
  ...['root', 'user', 'admin', 'node', 'post', 'data', 'docker', 'smesher', 'spacemesh', 'ubuntu', 'debian'],
  ...['pi', 'host', 'home', 'mnt', 'media', 'name', 'test', 'runner', 'nobody', 'blanked'],
]);

const HOMES =
  /((?:\/(?:var\/)?home|\/Users|\/run\/media|\/media|[A-Za-z]:\\+Users)[/\\]+)([^/\\\s"'`:,;\]]+)/g;

/** Names of people in paths, and as words where they are known. */
export function redactUsers(text: string, userNames: readonly string[]): string {
  const homes = text.replace(HOMES, (whole: string, before: string, name: string) =>
    COMMON_USERS.has(name) ? whole : `${before}[user]`,
  );
  return userNames
    .filter((name) => name.length >= 2 && !COMMON_USERS.has(name))
    .reduce((result, name) => replaceWord(result, name, () => '[user]'), homes);
}

function replaceWord(text: string, word: string, by: () => string): string {
  if (word.length < 2 || !text.toLowerCase().includes(word.toLowerCase())) return text;
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`, 'gi'), by);
}
