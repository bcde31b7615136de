import { randomBytes } from 'node:crypto';
import { chmodSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { createDiskSpeed } from '../../../src/adapters/disk-speed/index.ts';
import { tempFolder } from '../../helpers/temp.ts';

const MIB = 2 ** 20;
const never = new AbortController().signal;

function makeFiles(count: number, bytes: number): string[] {
  const folder = tempFolder();
  return Array.from({ length: count }, (_, index) => {
    const path = join(folder, `postdata_${index}.bin`);
    writeFileSync(path, randomBytes(bytes));
    return path;
  });
}

describe('reading a disk', () => {
  it('reads from every file for its share of the time, and says whether past the cache', async () => {
    const files = makeFiles(3, 24 * MIB + 16);
    const began = performance.now();
    const speed = await createDiskSpeed().read(files, { forMs: 600, signal: never });
    if (speed.kind !== 'measured') throw new Error(`not measured: ${JSON.stringify(speed)}`);
    expect(speed.spots.map(({ path }) => path)).toEqual(files);
    for (const { bytes, ms } of speed.spots) {
      expect(bytes).toBeGreaterThan(0);
      expect(ms).toBeGreaterThanOrEqual(199);
    }
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(typeof speed.direct).toBe('boolean');
    expect(speed.hollow).toBe(false);
  });

  it('reads files that fill no page, and knows an empty one', async () => {
    const speed = await createDiskSpeed().read([...makeFiles(1, 100), ...makeFiles(1, 0)], {
      forMs: 100,
      signal: never,
    });
    if (speed.kind !== 'measured') throw new Error(`not measured: ${JSON.stringify(speed)}`);
    expect(speed.spots).toHaveLength(1);
  });

  it('notices files that hold no data yet', async () => {
    const [path = ''] = makeFiles(1, MIB);
    truncateSync(path, 64 * MIB);
    const speed = await createDiskSpeed().read([path], { forMs: 100, signal: never });
    expect(speed).toMatchObject({ kind: 'measured', hollow: true });
  });

  it('names the file that cannot be read', async () => {
    const [good = ''] = makeFiles(1, MIB);
    const missing = `${good}.gone`;
    const speed = await createDiskSpeed().read([good, missing], { forMs: 100, signal: never });
    expect(speed).toMatchObject({ kind: 'unreadable', path: missing });
  });

  it.skipIf(process.getuid?.() === 0)('says that it may not read', async () => {
    const [path = ''] = makeFiles(1, MIB);
    chmodSync(path, 0);
    expect(await createDiskSpeed().read([path], { forMs: 100, signal: never })).toMatchObject({
      kind: 'unreadable',
    });
  });

  it('ends at once on Ctrl-C', async () => {
    const abort = new AbortController();
    const reading = createDiskSpeed().read(makeFiles(1, 16 * MIB), { forMs: 60_000, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop it')), 200);
    const began = performance.now();
    await expect(reading).rejects.toThrow('stop it');
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
