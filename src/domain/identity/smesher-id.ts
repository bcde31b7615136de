declare const smesherIdBrand: unique symbol;

/** The public key of an identity, 64 lower-case hex digits (spacemesh.md §2.1: last 32 bytes of the key file). */
export type SmesherId = string & { readonly [smesherIdBrand]: true };

const HEX_64 = /^[0-9a-f]{64}$/;

/** Reads 64 hex digits in either case; `undefined` when the text is anything else. */
export function parseSmesherId(text: string): SmesherId | undefined {
  const lower = text.toLowerCase();
  return HEX_64.test(lower) ? (lower as SmesherId) : undefined;
}

/** From the 32 bytes that gRPC messages and key files carry; `undefined` when the length is wrong. */
export function smesherIdFromBytes(bytes: Uint8Array): SmesherId | undefined {
  if (bytes.length !== 32) return undefined;
  return parseSmesherId(Buffer.from(bytes).toString('hex'));
}

/** From the standard base64 of metadata and JSON answers; `undefined` when it is not 32 bytes. */
export function smesherIdFromBase64(text: string): SmesherId | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return smesherIdFromBytes(Buffer.from(text, 'base64'));
}

/** Eight digits: how people tell identities apart in tables (ux.md). */
export function shortId(id: SmesherId): string {
  return id.slice(0, 8);
}
