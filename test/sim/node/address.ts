/** Account addresses as the node reads them: original bech32, 24 bytes, the first four zero (spacemesh.md §1.2). */
import { bech32 } from 'bech32';

/** The 24 bytes of an address of network `hrp`. @throws Error as the node words it */
export function parseAddress(text: string, hrp: string): Buffer {
  if (text.length < 8 || text.length > 90) {
    throw new Error(`error decoding bech32: invalid bech32 string length ${text.length}`);
  }
  let decoded: ReturnType<typeof bech32.decode>;
  try {
    decoded = bech32.decode(text);
  } catch (error) {
    throw new Error(`error decoding bech32: ${(error as Error).message}`);
  }
  if (decoded.prefix !== hrp) {
    throw new Error(`wrong network id: expected \`${hrp}\`, got \`${decoded.prefix}\`: unsupported network`);
  }
  const bytes = Buffer.from(bech32.fromWords(decoded.words));
  if (bytes.length !== 24) throw new Error(`expected 24 bytes, got ${bytes.length}: wrong address length`);
  if (!bytes.subarray(0, 4).equals(Buffer.alloc(4))) {
    throw new Error(`expected 4 reserved bytes to be zero: ${bytes.subarray(0, 4).toString('hex')}`);
  }
  return bytes;
}
