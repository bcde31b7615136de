import { readFileSync } from 'node:fs';
import { listDataFiles } from './data-files.ts';
import { Fatal, Interrupted } from './exits.ts';
import type { Interruption } from './interruption.ts';
import { LABEL_BYTES, smallestBelow, vrfDifficulty } from './labels.ts';
import { type Log, say } from './log.ts';
import { loadMetadata, type PostMetadata, saveMetadata } from './metadata.ts';
import type { Options } from './options.ts';

/** `-searchForNonce`: the smallest label of all files, written after each file that has a better one. */
export async function searchForNonce(options: Options, log: Log, interruption: Interruption): Promise<void> {
  let best: { nonce: number; value: Buffer } | undefined;
  const upper = () => best?.value.toString('hex').toUpperCase() ?? '';
  try {
    await search(options, log, interruption, (nonce, value) => {
      best = { nonce, value };
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    say('cli: search for nonce interrupted');
    if (best !== undefined) say(`cli: nonce found so far: Nonce: ${best.nonce} | Label: ${upper()}`);
    return;
  }
  if (best === undefined) throw new Fatal('cli: search for nonce failed: nonce not found');
  say(`cli: search for nonce completed. Nonce: ${best.nonce} | Label: ${upper()}`);
}

async function search(
  options: Options,
  log: Log,
  interruption: Interruption,
  onBetter: (nonce: number, value: Buffer) => void,
): Promise<void> {
  const { datadir } = options;
  let metadata = readMetadata(datadir);
  let below: Buffer = vrfDifficulty(metadata.labelsPerUnit * metadata.numUnits);
  log('info', 'searching for lowest nonce', { difficulty: below.toString('hex'), datadir });
  for (const file of listDataFiles(datadir)) {
    if (file.index < options.fromFile || file.index > (options.toFile ?? file.index)) continue;
    log('info', 'looking for VRF nonce in file', { file: file.name });
    await interruption.check();
    const bytes = readFileSync(file.path);
    if (bytes.length % LABEL_BYTES !== 0) {
      throw new Fatal(
        'cli: search for nonce failed: failed to search for nonce: file appears truncated. please re-init it: unexpected EOF',
      );
    }
    const better = smallestBelow(bytes, below);
    if (better === undefined) continue;
    const nonce = file.index * Math.floor(metadata.maxFileSize / LABEL_BYTES) + better.at;
    below = Buffer.from(better.value);
    log('info', 'found nonce: updating postdata_metadata.json', { nonce, NonceValue: below.toString('hex') });
    metadata = { ...metadata, nonce, nonceValue: below };
    saveMetadata(datadir, metadata);
    onBetter(nonce, below);
  }
}

function readMetadata(datadir: string): PostMetadata {
  const metadata = loadMetadata(datadir);
  if (metadata !== undefined) return metadata;
  throw new Fatal('cli: search for nonce failed: failed to load metadata: metadata file is missing');
}
