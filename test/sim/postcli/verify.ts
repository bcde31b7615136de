import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { totalFiles } from './data-files.ts';
import { Fatal, osErrorText } from './exits.ts';
import { KEY_NAME, loadPublicKey } from './identity-key.ts';
import type { Knobs } from './knobs.ts';
import { LABEL_BYTES, LabelSource } from './labels.ts';
import { type Log, say } from './log.ts';
import { loadMetadata, METADATA_NAME, type PostMetadata } from './metadata.ts';
import type { Options } from './options.ts';

/** `-verify`: first the key, then a part of the labels of each file (spacemesh.md §14.4). Throws Fatal. */
export async function verify(options: Options, knobs: Knobs, log: Log): Promise<void> {
  const { datadir } = options;
  say('cli: verifying', KEY_NAME);
  const key = loadPublicKey(datadir);
  const metadata = readMetadata(datadir);
  if (key === undefined) {
    say('cli:', KEY_NAME, 'does not exist. Skipping verification');
  } else {
    if (!key.equals(metadata.nodeId)) {
      const place = join(datadir, METADATA_NAME);
      const [inData, inKey] = [metadata.nodeId.toString('hex'), key.toString('hex')];
      throw new Fatal(`NodeID in ${place} (${inData}) does not match public key from ${KEY_NAME} (${inKey})`);
    }
    say('cli:', KEY_NAME, 'is valid');
  }
  say('cli: verifying POS data');
  await verifyLabels(options, metadata, knobs, log);
  say('cli: POS data is valid');
}

function readMetadata(datadir: string): PostMetadata {
  let why = 'metadata file is missing';
  try {
    const metadata = loadMetadata(datadir);
    if (metadata !== undefined) return metadata;
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  throw new Fatal(`failed to load metadata from ${datadir}: ${why}`);
}

async function verifyLabels(options: Options, metadata: PostMetadata, knobs: Knobs, log: Log): Promise<void> {
  const { datadir, fromFile } = options;
  const { numUnits, labelsPerUnit, maxFileSize } = metadata;
  const lastFile = options.toFile ?? totalFiles(numUnits, labelsPerUnit, maxFileSize) - 1;
  const rust = (line: number) => ({
    module: 'post::pos_verification',
    file: 'src/pos_verification.rs',
    line,
  });
  log('info', `verifying POS data in ${datadir}`, rust(34));
  log('info', `verifying POS files ${fromFile} -> ${lastFile}`, rust(39));
  const source = new LabelSource(metadata.nodeId, metadata.commitmentAtxId, options.scryptN);
  for (let index = fromFile; index <= lastFile; index += 1) {
    const path = join(datadir, `postdata_${index}.bin`);
    log('info', `verifying file ${path}`, rust(43));
    const bytes = readFile(path);
    const labels = Math.floor(bytes.length / LABEL_BYTES);
    const count = Math.min(labels, Math.ceil((labels * options.fraction) / 100));
    log('info', `verifying ${count} labels`, rust(66));
    if (knobs.verifyMsPerFile > 0) await sleep(knobs.verifyMsPerFile);
    for (const at of sample(labels, count)) {
      const offset = at * LABEL_BYTES;
      const expected = source.label(index * Math.floor(maxFileSize / LABEL_BYTES) + at);
      if (expected.equals(bytes.subarray(offset, offset + LABEL_BYTES))) continue;
      log('info', `POS data is invalid: invalid label in file ${index} at offset ${offset}`, {
        module: 'post::initialization',
        file: 'ffi/src/initialization.rs',
        line: 244,
      });
      throw new Fatal(`cli: invalid POS: file ${index} contains invalid label at offset ${offset}`);
    }
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Fatal(`cli: failed (${osErrorText(error, 'open', path)})`);
  }
}

/** `count` of `labels` label numbers, chosen by chance, in rising order. */
function sample(labels: number, count: number): readonly number[] {
  const chosen: number[] = [];
  for (let at = 0; at < labels && chosen.length < count; at += 1) {
    if (Math.random() < (count - chosen.length) / (labels - at)) chosen.push(at);
  }
  return chosen;
}
