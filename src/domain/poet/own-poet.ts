import type { OwnPoetSettings } from '../project/types.ts';

/** Name of the service and of its Compose profile, and its host name inside the project's network. */
export const OWN_POET = 'poet';

/** Port of its REST API inside its container. */
export const OWN_POET_PORT = 8080;

/** Its address as the node sees it. */
export const OWN_POET_ADDRESS = `http://${OWN_POET}:${OWN_POET_PORT}`;

/** What it costs to stop it: its tree goes on where it was, from disk, when it is started again. */
export const PAUSED_ROUND =
  "its round's work while it is down. Start it again: docker compose --profile poet up -d poet";

/** File in its data folder that holds its private key. */
export const OWN_POET_KEY_FILE = 'poet.env';

/**
 * Where a server of the list is asked from this host: the project's own has a name that only its network knows, and a
 * port that is published.
 */
export function addressFromHost(
  ownPoet: Pick<OwnPoetSettings, 'port' | 'publish'> | undefined,
  address: string,
): string {
  if (ownPoet === undefined || address.replace(/\/+$/, '') !== OWN_POET_ADDRESS) return address;
  const host = ownPoet.publish === '0.0.0.0' ? '127.0.0.1' : ownPoet.publish;
  return `http://${host}:${ownPoet.port}`;
}

/**
 * Content of the key file: base64 of the 64 bytes seed and public key, as the service reads it from its environment
 * (spacemesh.md §7.4). It is a file and no setting of the container: there everybody who may ask the engine could read it.
 */
export function ownPoetKeyFile(seed: Uint8Array, publicKey: Uint8Array): string {
  return `POET_PRIVATE_KEY=${Buffer.from([...seed, ...publicKey]).toString('base64')}\n`;
}

/** The public key of such a file, base64; `undefined` when it is none. */
export function publicKeyOfFile(text: string): string | undefined {
  const encoded = /^POET_PRIVATE_KEY=([A-Za-z0-9+/]{86}==)\n?$/.exec(text)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').subarray(32).toString('base64');
}
