import * as z from 'zod';

/** What `GET /v1/info` of a PoET says (spacemesh.md §7.3). */
export interface PoetInfo {
  /** base64 of 32 bytes. */
  readonly pubkey: string;
  /** Seconds. */
  readonly phaseShift: number;
  readonly cycleGap: number;
  /** Who gives out certificates, with which registering costs no proof of work; absent where there is none. */
  readonly certifier?: { readonly url: string };
}

/** protobuf's JSON form of a duration: seconds with an optional fraction, `"864000s"`. */
const duration = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,9})?s$/)
  .transform((text) => Number(text.slice(0, -1)));

const schema = z.object({
  servicePubkey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  // A zero value may be left out by a gateway.
  phaseShift: duration.default(0),
  cycleGap: duration.default(0),
  // Whatever else it is: it concerns nobody's safety, and shall not make a PoET none.
  certifier: z.object({ url: z.string() }).optional().catch(undefined),
});

/** Reads the body; `undefined` for anything that is no PoET's. */
export function parsePoetInfo(body: string): PoetInfo | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { servicePubkey: pubkey, phaseShift, cycleGap, certifier } = parsed.data;
  const url = certifier?.url ?? '';
  return { pubkey, phaseShift, cycleGap, ...(url === '' ? {} : { certifier: { url } }) };
}

/** Where a PoET's information is: the address with the path added, whatever it ends with. */
export function infoUrl(address: string): string {
  return `${address.replace(/\/+$/, '')}/v1/info`;
}

/**
 * One spelling for all addresses of the same place: scheme and host in small letters, no default port, no slash at the
 * end. The node itself tells them apart by the exact text (spacemesh.md §6.4).
 */
export function samePlace(address: string): string {
  try {
    const url = new URL(address);
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}${url.search}`;
  } catch {
    return address;
  }
}
