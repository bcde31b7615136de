import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Registration } from './fake-node.ts';
import { scratch } from './run-stand-in.ts';

export const NODE_ID = Buffer.alloc(32, 7);

/** Two units of 64 labels, in as many files as asked for. */
export function makeData(nonce: number, files: number): string {
  const dir = join(scratch(), 'post');
  mkdirSync(dir);
  const bytes = 2048 / files;
  for (let at = 0; at < files; at += 1)
    writeFileSync(join(dir, `postdata_${at}.bin`), Buffer.alloc(bytes, at));
  const metadata = {
    NodeId: NODE_ID.toString('base64'),
    CommitmentAtxId: Buffer.alloc(32, 9).toString('base64'),
    LabelsPerUnit: 64,
    NumUnits: 2,
    MaxFileSize: bytes,
    Nonce: nonce,
  };
  writeFileSync(join(dir, 'postdata_metadata.json'), JSON.stringify(metadata));
  return dir;
}

/** Polls like a node, only more often. */
export async function pollUntilProof(registration: Registration, challenge: Buffer) {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(100)) {
    const answer = await registration.poll(challenge);
    expect(answer.status).toBe('GEN_PROOF_STATUS_OK');
    if (answer.proof !== null) return answer;
  }
  throw new Error('no proof within 20 s');
}

export async function statusOf(port: number, timeoutMs = 2000): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/status`, { signal: AbortSignal.timeout(timeoutMs) });
  return response.json();
}

export function positionIn(status: unknown): number {
  return (status as { Proving?: { position: number } }).Proving?.position ?? 0;
}

/** Notes every status that differs from the one before, as `0..16@1024`. */
export function watch(port: number, seen: string[]): AbortController {
  const controller = new AbortController();
  const look = async (): Promise<void> => {
    while (!controller.signal.aborted) {
      const status = await statusOf(port);
      const { Proving } = status as {
        Proving?: { nonces: { start: number; end: number }; position: number };
      };
      const text = Proving
        ? `${Proving.nonces.start}..${Proving.nonces.end}@${Proving.position}`
        : String(status);
      if (seen.at(-1) !== text) seen.push(text);
      await sleep(5);
    }
  };
  look().catch(() => {});
  return controller;
}

const PHASES =
  /starting proof generation|calculating proof of work for nonces \d+\.\.\d+|finished k2pow|started reading POST data|Reading file: \S*(postdata_\d+\.bin)|finished reading POST data|found proof|proof generation is finished|verifying proof|proof is valid/;

export function phases(log: string): readonly string[] {
  return log.split('\n').flatMap((line) => {
    const match = PHASES.exec(line);
    if (match === null) return [];
    return [match[1] === undefined ? match[0] : `Reading file: ${match[1]}`];
  });
}

/** Each kind of line from the first proof on, with numbers, lists and paths blotted out. */
export function shape(log: string): readonly string[] {
  const lines = log.split('\n').map((line) =>
    line
      .replace(/^\[\S+ /, '[')
      .replace(/K2PoW difficulty \(scaled with SU\): [0-9A-F]{64}/, 'K2PoW difficulty (scaled with SU): H')
      .replace(/challenge [0-9A-F]{64}/, 'challenge H')
      .replaceAll(/\[[\d, ]+\]/g, '[N]')
      .replace(/Reading file: .*/, 'Reading file: P')
      .replaceAll(/\d+/g, 'N'),
  );
  const from = lines.findIndex((line) => line.includes('obtained metadata'));
  return [...new Set(lines.slice(from))].filter((line) => line !== '').sort();
}
