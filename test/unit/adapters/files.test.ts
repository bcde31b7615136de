import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** A file system of its own, on every Linux. */
const OTHER_DISK = '/dev/shm';

function otherDisk(): string {
  const folder = mkdtempSync(`${OTHER_DISK}/smt-files-`);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe.skipIf(!existsSync(OTHER_DISK))('moving a file to another disk', () => {
  it('takes content and mode along and leaves nothing behind', async () => {
    const from = `${otherDisk()}/a.key`;
    const folder = tempFolder('files');
    const to = `${folder}/b.key`;
    expect(statSync(folder).dev).not.toBe(statSync(OTHER_DISK).dev);
    writeFileSync(from, 'content');
    chmodSync(from, 0o600);
    await nodeFiles.move(from, to);
    expect(existsSync(from)).toBe(false);
    expect(readFileSync(to, 'utf8')).toBe('content');
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(await nodeFiles.list(folder)).toEqual([{ name: 'b.key', kind: 'file' }]);
  });

  it('never overwrites what is there', async () => {
    const from = `${otherDisk()}/a.key`;
    const to = `${tempFolder('files')}/b.key`;
    writeFileSync(from, 'one');
    writeFileSync(to, 'another');
    await expect(nodeFiles.move(from, to)).rejects.toMatchObject({ code: 'EEXIST' });
    expect([readFileSync(from, 'utf8'), readFileSync(to, 'utf8')]).toEqual(['one', 'another']);
  });
});
