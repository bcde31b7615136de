/** A question and an answer of SNTP are 48 bytes (RFC 4330). */
export const PACKET_BYTES = 48;

const CLIENT = 0b00_100_011;
/** Seconds between 1900, where NTP begins, and 1970. */
const EPOCH_OFFSET = 2_208_988_800;
const ERA = 2 ** 32;

/**
 * A question. `cookie` comes back as it is and tells our answer from a stranger's; it need not be a time, so that
 * nobody learns this host's clock from it.
 */
export function sntpQuestion(cookie: Uint8Array): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  packet[0] = CLIENT;
  packet.set(cookie.subarray(0, 8), 40);
  return packet;
}

export type SntpReading =
  | { readonly kind: 'time'; readonly offsetMs: number; readonly delayMs: number; readonly stratum: number }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads an answer (RFC 4330 §5). `undefined` for a packet that does not answer our question: keep waiting.
 *
 * @param sent when the question went out, by this host's clock, milliseconds since 1970
 * @param received when the answer came in, likewise
 */
export function readSntp(
  packet: Uint8Array,
  cookie: Uint8Array,
  { sent, received }: { readonly sent: number; readonly received: number },
): SntpReading | undefined {
  if (packet.length < PACKET_BYTES) return undefined;
  const mode = (packet[0] ?? 0) & 7;
  if (mode !== 4 || !cookie.subarray(0, 8).every((byte, index) => byte === packet[24 + index]))
    return undefined;
  const stratum = packet[1] ?? 0;
  if (stratum === 0) {
    const code = String.fromCharCode(...packet.subarray(12, 16)).replace(/[^A-Z]/g, '');
    return { kind: 'refused', reason: `it refuses to answer (${code || 'no reason'})` };
  }
  const leap = (packet[0] ?? 0) >> 6;
  if (leap === 3 || stratum > 15) return { kind: 'refused', reason: 'its own clock is not synchronised' };
  const [theirReceive, theirTransmit] = [timestamp(packet, 32), timestamp(packet, 40)];
  if (theirTransmit === undefined || theirReceive === undefined)
    return { kind: 'refused', reason: 'it tells no time' };
  return {
    kind: 'time',
    offsetMs: (theirReceive - sent + (theirTransmit - received)) / 2,
    delayMs: Math.max(received - sent - (theirTransmit - theirReceive), 0),
    stratum,
  };
}

/** Milliseconds since 1970; the era that began in 2036 is told by the first bit (RFC 4330 §3). */
function timestamp(packet: Uint8Array, at: number): number | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset + at, 8);
  const [seconds, fraction] = [view.getUint32(0), view.getUint32(4)];
  if (seconds === 0 && fraction === 0) return undefined;
  const since1900 = seconds < ERA / 2 ? seconds + ERA : seconds;
  return (since1900 - EPOCH_OFFSET + fraction / ERA) * 1000;
}
