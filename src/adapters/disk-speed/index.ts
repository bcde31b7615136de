import { Worker } from 'node:worker_threads';
import type { DiskSpeed, DiskSpeedOptions, DiskSpeedPort, SpotSpeed } from '../../ports/disk-speed.ts';
import { READER_THREAD } from './reader-thread.ts';

/** A sleeping disk wakes up in less; one that says nothing for longer is dead. */
const SILENT_MS = 30_000;

type Message =
  | { readonly spot: SpotSpeed & { readonly direct: boolean; readonly hollow: boolean } }
  | { readonly failed: { readonly path: string; readonly reason: string } };

/** DiskSpeedPort of this host: O_DIRECT where the file system has it. */
export function createDiskSpeed(): DiskSpeedPort {
  return { read };
}

function read(files: readonly string[], { forMs, signal }: DiskSpeedOptions): Promise<DiskSpeed> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const worker = new Worker(READER_THREAD, { eval: true, workerData: { files, forMs } });
    // A thread that waits for a dead disk must not keep the process.
    worker.unref();
    const spots: SpotSpeed[] = [];
    let direct = true;
    let hollow = false;
    let timer = setTimeout(silent, SILENT_MS + forMs);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      void worker.terminate();
      settle();
    };
    function silent() {
      end(() => resolve({ kind: 'silent' }));
    }
    function cancel() {
      end(() => reject(signal.reason));
    }
    signal.addEventListener('abort', cancel);
    worker.on('message', (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(silent, SILENT_MS + forMs);
      if ('failed' in message) return end(() => resolve({ kind: 'unreadable', ...message.failed }));
      const { direct: isDirect, hollow: isHollow, ...spot } = message.spot;
      direct &&= isDirect;
      hollow ||= isHollow;
      if (spot.bytes > 0 && spot.ms > 0) spots.push(spot);
    });
    worker.once('error', (error) => end(() => reject(error)));
    worker.once('exit', () => end(() => resolve({ kind: 'measured', spots, direct, hollow })));
  });
}
