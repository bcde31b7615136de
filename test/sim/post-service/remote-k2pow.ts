import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Panic } from './failure.ts';
import type { PostMetadata } from './metadata.ts';
import type { Settings } from './settings.ts';

/**
 * Asks a k2pow-service for the proofs of work of `groups` (spacemesh.md §3.4): no connection, 201 and 429 are
 * tried again for ever, any other status than 200 is a panic of the prover.
 */
export async function remoteK2pow(
  settings: Settings,
  metadata: PostMetadata,
  challenge: Buffer,
  groups: readonly number[],
  difficulty: string,
): Promise<void> {
  const waiting = [...groups];
  const worker = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const job = `job/${metadata.nodeId.toString('hex')}/${group}/${challenge.subarray(0, 8).toString('hex')}/${difficulty}`;
      await untilDone(new URL(job, `${settings.remoteK2pow}/`), settings.remoteK2powBackoffSeconds * 1000);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, settings.remoteK2powParallelism) }, worker));
}

async function untilDone(url: URL, backoffMs: number): Promise<void> {
  for (;;) {
    const status = await statusOf(url);
    if (status === 200) return;
    if (status !== undefined && status !== 201 && status !== 429) {
      throw new Panic(
        `called \`Result::unwrap()\` on an \`Err\` value: k2pow status ${status}`,
        'src/prove.rs',
      );
    }
    await sleep(backoffMs);
  }
}

function statusOf(url: URL): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', () => resolve(undefined));
  });
}
