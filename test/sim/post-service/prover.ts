import { setTimeout as sleep } from 'node:timers/promises';
import { note } from '../common/ledger.ts';
import { makeProof, NONCES_PER_GROUP, type SimProof } from '../common/proof.ts';
import { type DataFile, isContiguous, listDataFiles, readPieces } from './data-files.ts';
import { draw, drawIndices } from './draws.ts';
import { osErrorText } from './failure.ts';
import type { Knobs } from './knobs.ts';
import type { Log } from './log.ts';
import { loadMetadata, type PostMetadata, totalBytes } from './metadata.ts';
import { readMisfortunes } from './misfortunes.ts';
import { pretendWork } from './pretended-work.ts';
import { remoteK2pow } from './remote-k2pow.ts';
import type { Settings } from './settings.ts';
import { SharedDisk } from './shared-disk.ts';

const PIECE_BYTES = 1024 * 1024;

/** What `/status` shows of a running proof: the nonces of this pass and the bytes read in it. */
export interface Progress {
  readonly start: number;
  readonly end: number;
  readonly position: number;
}

export interface FinishedProof {
  readonly proof: SimProof;
  readonly challenge: Buffer;
  readonly metadata: PostMetadata;
  /** False when the data had a hole: the proof exists, and its verification fails. */
  readonly valid: boolean;
}

export interface ProverParts {
  readonly settings: Settings;
  readonly knobs: Knobs;
  readonly log: Log;
  readonly onProgress: (progress: Progress) => void;
  /** Called with true while the RandomX dataset of fast mode is built: `/status` does not answer. */
  readonly onDataset: (building: boolean) => void;
}

/** By this process. */
let proofsMade = 0;

interface Pass {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Makes a proof in the phases of the real program (spacemesh.md §14.1). Nothing of it survives the process.
 * Throws when metadata or directory cannot be read.
 */
export async function generateProof(parts: ProverParts, challenge: Buffer): Promise<FinishedProof> {
  const { settings, log, onProgress } = parts;
  const started = performance.now();
  onProgress({ start: 0, end: 0, position: 0 });
  if (readMisfortunes().fails) throw new Error('failed to initialize prover: misfortune');
  const metadata = loadMetadata(settings.dir);
  const files = await listDataFiles(settings.dir);
  log('info', 'post::prove', difficultiesText(settings, metadata));
  await prepareRandomX(parts);
  for (let number = 1; ; number += 1) {
    const pass = { number, start: (number - 1) * settings.nonces, end: number * settings.nonces };
    onProgress({ start: pass.start, end: pass.end, position: 0 });
    await k2pow(parts, metadata, challenge, pass);
    const lucky = isLucky(parts.knobs, metadata, challenge, number);
    const bytesRead = await readOnce(parts, metadata, files, pass, lucky, challenge);
    // Without data no label qualifies: the real program goes on from pass to pass.
    if (!lucky || bytesRead === 0 || settings.nonces === 0) {
      if (bytesRead === 0 || settings.nonces === 0) await sleep(200);
      continue;
    }
    const nonce = pass.start + Math.floor(draw(challenge, metadata.nodeId, 'nonce') * settings.nonces);
    const proof = makeProof(challenge, metadata.nodeId, nonce);
    const labels = totalBytes(metadata) / 16n;
    const indices = drawIndices(settings.k2, labels, challenge, metadata.nodeId).join(', ');
    const took = minutesAndSeconds(performance.now() - started);
    log(
      'info',
      'post::prove',
      `found proof for nonce: ${nonce}, pow: ${proof.pow} with [${indices}] indices. It took ${took}`,
    );
    const spoilt = readMisfortunes().firstInvalid && proofsMade === 0;
    proofsMade += 1;
    return { proof, challenge, metadata, valid: isContiguous(files) && !spoilt };
  }
}

async function prepareRandomX(parts: ProverParts): Promise<void> {
  const { settings, knobs, onDataset } = parts;
  if (settings.remoteK2pow !== undefined) return;
  if (settings.randomxMode === 'light') {
    await pretendWork(knobs.cacheMs, settings.threads);
    return;
  }
  onDataset(true);
  try {
    // The dataset is built by one thread.
    await pretendWork(knobs.datasetMs, 1);
  } finally {
    onDataset(false);
  }
}

async function k2pow(
  parts: ProverParts,
  metadata: PostMetadata,
  challenge: Buffer,
  pass: Pass,
): Promise<void> {
  const { settings, knobs, log } = parts;
  const started = performance.now();
  log('info', 'post::prove', `calculating proof of work for nonces ${pass.start}..${pass.end}`);
  const first = pass.start / NONCES_PER_GROUP;
  const groups = Array.from({ length: settings.nonces / NONCES_PER_GROUP }, (_, at) => first + at);
  if (settings.remoteK2pow !== undefined) {
    await remoteK2pow(settings, metadata, challenge, groups, scaledDifficulty(settings, metadata));
  } else {
    for (const group of groups) {
      log('debug', 'post::prove', `calculating proof of work for nonce group ${group}`);
      const times = metadata.numUnits * readMisfortunes().k2powTimes;
      await pretendWork(knobs.k2powMsPerUnitGroup * times, settings.threads);
      log('debug', 'post::prove', `proof of work for nonce group ${group}: ${group}`);
      note('group', { group });
    }
  }
  log('info', 'post::prove', `finished k2pow in ${minutesAndSeconds(performance.now() - started)}`);
}

/** Reads the files in order; ends early in the pass that finds the proof. Returns the bytes read. */
async function readOnce(
  parts: ProverParts,
  metadata: PostMetadata,
  files: readonly DataFile[],
  pass: Pass,
  lucky: boolean,
  challenge: Buffer,
): Promise<number> {
  const { settings, knobs, log, onProgress } = parts;
  const started = performance.now();
  const disk = SharedDisk.ofEnvironment();
  log('info', 'post::prove', 'started reading POST data');
  const total = Number(totalBytes(metadata));
  const fraction = knobs.readFraction ?? 0.6 + 0.4 * draw(challenge, metadata.nodeId, 'fraction');
  const enough = lucky ? Math.max(1, Math.floor(total * fraction)) : total;
  const duration =
    knobs.readMegabytesPerSecond === undefined ? knobs.readMs : total / knobs.readMegabytesPerSecond / 1000;
  // Tiny data is read in many steps, so that even two kilobytes show a moving position.
  const piece = Math.min(PIECE_BYTES, Math.max(16, Math.ceil(total / 64 / 16) * 16));
  let position = 0;
  // In the disk's own time and in work, not on the clock: under a CPU quota the same work takes longer.
  let spent = 0;
  let asked = performance.now();
  for (const file of files) {
    if (position >= enough) break;
    log('info', 'post::reader', `Reading file: ${file.path}`);
    const onFault = (error: unknown) =>
      log('error', 'post::reader', `failed to read file ${file.path}: ${osErrorText(error)}`);
    for await (const bytes of readPieces(file, piece, onFault)) {
      spent += performance.now() - asked;
      const left = duration * ((position + bytes) / total) - spent;
      // The disk's own time counts; on a slow one nothing is added.
      spent += await pretendWork(Math.min(left, (duration * bytes) / total), settings.threads, disk);
      position = Math.min(position + bytes, total);
      onProgress({ start: pass.start, end: pass.end, position });
      if (position >= enough) break;
      asked = performance.now();
    }
  }
  disk?.leave();
  const took = minutesAndSeconds(performance.now() - started);
  log('info', 'post::prove', `finished reading POST data in ${took}`);
  return position;
}

function isLucky(knobs: Knobs, metadata: PostMetadata, challenge: Buffer, pass: number): boolean {
  if (knobs.passChance === undefined) return pass >= knobs.passes;
  return draw(challenge, metadata.nodeId, 'pass', pass) < knobs.passChance;
}

function difficultiesText(settings: Settings, metadata: PostMetadata): string {
  const flags = 'RandomXFlag(FLAG_HARD_AES | FLAG_JIT | FLAG_ARGON2_SSSE3 | FLAG_ARGON2_AVX2)';
  const labels = totalBytes(metadata) / 16n;
  const difficulty = labels === 0n ? 0n : (BigInt(settings.k1) << 64n) / labels;
  return `generating proof with PoW flags: ${flags}, difficulty (scaled with SU): ${difficulty}, K2PoW difficulty (scaled with SU): ${scaledDifficulty(settings, metadata).toUpperCase()}`;
}

/** The k2pow difficulty divided by the units, 64 hex characters. */
function scaledDifficulty(settings: Settings, metadata: PostMetadata): string {
  const scaled = BigInt(`0x${settings.powDifficulty}`) / BigInt(Math.max(1, metadata.numUnits));
  return scaled.toString(16).padStart(64, '0');
}

function minutesAndSeconds(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
