import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, osErrorText, ServiceFailure } from './failure.ts';
import { JsonFault, type JsonNode, readJson } from './json-reader.ts';

/** `postdata_metadata.json` as post-service reads it: unknown fields are ignored (spacemesh.md §2.2, §14.1). */
export interface PostMetadata {
  readonly nodeId: Buffer;
  readonly commitmentAtxId: Buffer;
  readonly labelsPerUnit: bigint;
  readonly numUnits: number;
  readonly maxFileSize: bigint;
  readonly nonce: bigint | undefined;
  readonly lastPosition: bigint | undefined;
}

export const LABEL_BYTES = 16n;
const UINT32 = 0xffff_ffffn;
const UINT64 = 0xffff_ffff_ffff_ffffn;

/** Reads the metadata. Throws the failure that ends the real program at start. */
export function loadMetadata(dir: string): PostMetadata {
  try {
    return parseMetadata(readFileSync(join(dir, 'postdata_metadata.json'), 'utf8'));
  } catch (error) {
    if (error instanceof JsonFault) throw loadFailure(error.message, 'src/metadata.rs:59:13');
    if (errorCode(error) === undefined) throw error;
    throw loadFailure(osErrorText(error), 'src/metadata.rs:57:25');
  }
}

/** Bytes of labels that the metadata promises. */
export function totalBytes(metadata: PostMetadata): bigint {
  return BigInt(metadata.numUnits) * metadata.labelsPerUnit * LABEL_BYTES;
}

/** Rust's `{:?}` of the metadata, as it stands in the log when the node asks for it. */
export function debugText(metadata: PostMetadata): string {
  const bytes = (buffer: Buffer) => `[${[...buffer].join(', ')}]`;
  const option = (value: bigint | undefined) => (value === undefined ? 'None' : `Some(${value})`);
  return `PostMetadata { node_id: ${bytes(metadata.nodeId)}, commitment_atx_id: ${bytes(metadata.commitmentAtxId)}, labels_per_unit: ${metadata.labelsPerUnit}, num_units: ${metadata.numUnits}, max_file_size: ${metadata.maxFileSize}, nonce: ${option(metadata.nonce)}, last_position: ${option(metadata.lastPosition)} }`;
}

function loadFailure(cause: string, location: string): ServiceFailure {
  return new ServiceFailure('creating Post Service', location, ['loading POST metadata', cause]);
}

function parseMetadata(text: string): PostMetadata {
  const root = readJson(text);
  if (root.type !== 'object') throw new JsonFault(`invalid type: ${root.type}, expected struct`, root.end);
  // In the order of the text: the first bad field is the one that is named.
  for (const [name, node] of root.fields) {
    if (name === 'NodeId' || name === 'CommitmentAtxId') bytes32(node);
    if (name === 'NumUnits') unsigned(node, UINT32, 'u32');
    if (name === 'LabelsPerUnit' || name === 'MaxFileSize') unsigned(node, UINT64, 'u64');
    if (name === 'Nonce' || name === 'LastPosition') optional(node);
  }
  const need = (name: string): JsonNode => {
    const node = root.fields.get(name);
    if (node === undefined) throw new JsonFault(`missing field \`${name}\``, root.end);
    return node;
  };
  return {
    nodeId: bytes32(need('NodeId')),
    commitmentAtxId: bytes32(need('CommitmentAtxId')),
    labelsPerUnit: unsigned(need('LabelsPerUnit'), UINT64, 'u64'),
    numUnits: Number(unsigned(need('NumUnits'), UINT32, 'u32')),
    maxFileSize: unsigned(need('MaxFileSize'), UINT64, 'u64'),
    nonce: optional(root.fields.get('Nonce')),
    lastPosition: optional(root.fields.get('LastPosition')),
  };
}

function bytes32(node: JsonNode): Buffer {
  if (node.type !== 'string') throw new JsonFault(`invalid type: ${node.type}, expected a string`, node.end);
  const bad = node.text.search(/[^A-Za-z0-9+/=]/);
  if (bad >= 0) {
    throw new JsonFault(`Invalid symbol ${node.text.charCodeAt(bad)}, offset ${bad}.`, node.end);
  }
  const bytes = Buffer.from(node.text, 'base64');
  if (bytes.length !== 32) throw new JsonFault(`invalid length ${bytes.length}, expected 32 bytes`, node.end);
  return bytes;
}

function unsigned(node: JsonNode, max: bigint, type: string): bigint {
  if (node.type !== 'number') throw new JsonFault(`invalid type: ${node.type}, expected ${type}`, node.end);
  if (!/^\d+$/.test(node.text) || BigInt(node.text) > max) {
    throw new JsonFault(`invalid value: number \`${node.text}\`, expected ${type}`, node.end);
  }
  return BigInt(node.text);
}

function optional(node: JsonNode | undefined): bigint | undefined {
  return node === undefined || node.type === 'null' ? undefined : unsigned(node, UINT64, 'u64');
}
