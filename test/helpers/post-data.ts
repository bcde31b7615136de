import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeIdentity, type TestIdentity } from './keys.ts';

/** Labels per unit of the networks, and the units that a small directory of each has. */
const SHAPES = {
  mainnet: { labelsPerUnit: 4_294_967_296, units: 4 },
  testnet: { labelsPerUnit: 1024, units: 2 },
  standalone: { labelsPerUnit: 64, units: 2 },
} as const;

const LABEL_BYTES = 16;

export interface PostDirectoryOptions {
  readonly network?: keyof typeof SHAPES;
  readonly units?: number;
  /** Bytes; by default all data is in one file. */
  readonly maxFileSize?: number;
  readonly identity?: TestIdentity;
  /** Name of the key file beside the data, or `none`. */
  readonly key?: 'identity.key' | 'key.bin' | 'none';
  /** What the key file holds instead of the identity's key. */
  readonly keyContent?: string;
  readonly keyMode?: number;
  readonly nonce?: boolean;
  /** Files that are left out. */
  readonly without?: readonly number[];
}

export interface PostDirectory extends TestIdentity {
  readonly path: string;
}

/**
 * Makes a PoST directory that looks as postcli leaves it; its files are holes of the right size, so that even mainnet's
 * 256 GiB cost nothing.
 */
export function makePostDirectory(path: string, options: PostDirectoryOptions = {}): PostDirectory {
  const { network = 'mainnet', key = 'identity.key', nonce = true } = options;
  const { labelsPerUnit } = SHAPES[network];
  const units = options.units ?? SHAPES[network].units;
  const bytes = labelsPerUnit * units * LABEL_BYTES;
  const maxFileSize = options.maxFileSize ?? bytes;
  const identity = options.identity ?? makeIdentity();
  mkdirSync(path, { recursive: true });
  const metadata = {
    NodeId: Buffer.from(identity.smesherId, 'hex').toString('base64'),
    CommitmentAtxId: Buffer.alloc(32, 7).toString('base64'),
    LabelsPerUnit: labelsPerUnit,
    NumUnits: units,
    MaxFileSize: maxFileSize,
    ...(nonce ? { Nonce: 112, NonceValue: '006dcad2948c3673a667162f27ce5885' } : {}),
  };
  writeFileSync(join(path, 'postdata_metadata.json'), JSON.stringify(metadata, undefined, '\t'));
  for (let index = 0; index * maxFileSize < bytes; index += 1) {
    if (options.without?.includes(index)) continue;
    const file = join(path, `postdata_${index}.bin`);
    writeFileSync(file, '');
    truncateSync(file, Math.min(maxFileSize, bytes - index * maxFileSize));
  }
  if (key !== 'none') {
    writeFileSync(join(path, key), options.keyContent ?? identity.keyFile);
    chmodSync(join(path, key), options.keyMode ?? 0o600);
  }
  return { ...identity, path };
}
