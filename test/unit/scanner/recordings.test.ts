import { chmodSync, cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { suiteTempFolder, tempFolder } from '../../helpers/temp.ts';
import { scanFolders, verdictsOf } from './scan-folder.ts';

interface Recorded {
  readonly directories: Readonly<
    Record<string, { smesher_id: string; units: number; nonce: number | null; verdict: string }>
  >;
}

const recordings = process.env.SMESH_RECORDINGS;

/** Git keeps no modes: what postcli wrote as 0600 is 0600 again in the copy. */
function restore(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  for (const entry of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const path = join(to, entry);
    chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
  }
}

describe.skipIf(recordings === undefined)(
  'PoST directories of the real postcli (skipped without SMESH_RECORDINGS)',
  () => {
    const source = join(recordings ?? '', 'post');
    const folder = suiteTempFolder('recorded-post');
    const { directories } = JSON.parse(
      recordings === undefined
        ? '{"directories":{}}'
        : readFileSync(join(source, 'directories.json'), 'utf8'),
    ) as Recorded;

    it('all scanned together, each gets the verdict that was recorded', async () => {
      restore(source, folder);
      const report = await scanFolders([folder]);
      const expected = Object.entries(directories).map(([name, { verdict }]) => [name, verdict]);
      expect(expected.length).toBeGreaterThan(15);
      expect(verdictsOf(report, folder)).toEqual(Object.fromEntries(expected));
      for (const directory of report.directories) {
        const recorded = directories[directory.path.slice(folder.length + 1)];
        expect(directory.metadata).toMatchObject({ smesherId: recorded?.smesher_id, units: recorded?.units });
        expect(directory.metadata?.nonce ?? null).toBe(
          recorded?.nonce === null ? null : BigInt(recorded?.nonce ?? -1),
        );
        expect(directory.next).not.toBe('');
      }
    });

    it('shows no private half of any of their keys', async () => {
      const { shown } = await scanFolders([folder]);
      let keys = 0;
      for (const entry of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
        if (!/\.key$|key\.bin$/.test(entry)) continue;
        keys += 1;
        const half = readFileSync(join(source, entry), 'latin1').slice(0, 64);
        for (let at = 0; at + 12 <= half.length; at += 6) {
          expect(shown).not.toContain(half.slice(at, at + 12));
        }
      }
      expect(keys).toBeGreaterThan(15);
    });

    it.each(['range-a', 'range-b'])('%s alone, without its siblings, is incomplete', async (name) => {
      const alone = tempFolder('recorded-part');
      restore(join(source, name), join(alone, name));
      expect(verdictsOf(await scanFolders([alone]), alone)).toEqual({ [name]: 'incomplete' });
    });

    it('S2: complete is ready once its copy is ignored', async () => {
      const report = await scanFolders([folder], { ignore: [join(folder, 'copy-of-complete')] });
      expect(verdictsOf(report, folder)).toMatchObject({ complete: 'ready' });
      expect(report.directories).toHaveLength(Object.keys(directories).length - 1);
    });
  },
);
