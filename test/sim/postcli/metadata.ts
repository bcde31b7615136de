import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, osErrorText } from './exits.ts';

export const METADATA_NAME = 'postdata_metadata.json';

/** `postdata_metadata.json` (spacemesh.md §2.2); the last three are left out while they are unknown. */
export interface PostMetadata {
  readonly nodeId: Buffer;
  readonly commitmentAtxId: Buffer;
  readonly labelsPerUnit: number;
  readonly numUnits: number;
  readonly maxFileSize: number;
  readonly nonce: number | undefined;
  readonly nonceValue: Buffer | undefined;
  readonly lastPosition: number | undefined;
}

/** Reads it; undefined when there is none. Throws an Error that says why it cannot be read. */
export function loadMetadata(datadir: string): PostMetadata | undefined {
  const path = join(datadir, METADATA_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new Error(`read file failure: ${osErrorText(error, 'open', path)}`);
  }
  const fields = JSON.parse(text) as Record<string, string | number | undefined>;
  const number = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
  const value = fields['NonceValue'];
  return {
    nodeId: Buffer.from(String(fields['NodeId'] ?? ''), 'base64'),
    commitmentAtxId: Buffer.from(String(fields['CommitmentAtxId'] ?? ''), 'base64'),
    labelsPerUnit: number('LabelsPerUnit') ?? 0,
    numUnits: number('NumUnits') ?? 0,
    maxFileSize: number('MaxFileSize') ?? 0,
    nonce: number('Nonce'),
    nonceValue: value === undefined ? undefined : Buffer.from(String(value), 'hex'),
    lastPosition: number('LastPosition'),
  };
}

/** Writes it as a whole, fields in the order of the Go struct. Throws an Error in Go's words. */
export function saveMetadata(datadir: string, metadata: PostMetadata): void {
  createFolder(datadir);
  const { nonce, nonceValue, lastPosition } = metadata;
  const fields = {
    NodeId: metadata.nodeId.toString('base64'),
    CommitmentAtxId: metadata.commitmentAtxId.toString('base64'),
    LabelsPerUnit: metadata.labelsPerUnit,
    NumUnits: metadata.numUnits,
    MaxFileSize: metadata.maxFileSize,
    ...(nonce !== undefined && { Nonce: nonce }),
    ...(nonceValue !== undefined && { NonceValue: nonceValue.toString('hex') }),
    ...(lastPosition !== undefined && { LastPosition: lastPosition }),
  };
  const path = join(datadir, METADATA_NAME);
  try {
    writeFileSync(`${path}.new`, JSON.stringify(fields, null, '\t'), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new Error(`write to disk failure: ${osErrorText(error, 'open', path)}`);
  }
}

/** Makes the data folder and those above it, 0700. */
export function createFolder(datadir: string): void {
  if (existsSync(datadir)) return;
  const parent = dirname(datadir);
  if (parent !== datadir) createFolder(parent);
  try {
    // Not `recursive`: under /proc Node 20 tries that for ever.
    mkdirSync(datadir, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw new Error(`dir creation failure: ${osErrorText(error, 'mkdir', datadir)}`);
  }
}
