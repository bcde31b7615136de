import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { moveDataFile } from '../../../src/usecases/move-data-file.ts';
import { tempFolder } from '../../helpers/temp.ts';

const ports = (files: FilesPort = nodeFiles) => ({ files, crypto: nodeCrypto });

let folder = '';
let from = '';
let to = '';

function step(size = 5) {
  return { kind: 'move-data-file', from, to, size, what: 'file 1 of post-0001' } as const;
}

beforeEach(() => {
  folder = tempFolder('move');
  mkdirSync(join(folder, 'part'));
  mkdirSync(join(folder, 'whole'));
  from = join(folder, 'part/postdata_1.bin');
  to = join(folder, 'whole/postdata_1.bin');
  writeFileSync(from, 'label');
});

describe('moving a data file', () => {
  it('moves it, and done twice changes nothing', async () => {
    await moveDataFile(ports(), step());
    await moveDataFile(ports(), step());
    expect(existsSync(from)).toBe(false);
    expect(readFileSync(to, 'utf8')).toBe('label');
  });

  it('finishes what was killed between its two halves', async () => {
    linkSync(from, to);
    await moveDataFile(ports(), step());
    expect(existsSync(from)).toBe(false);
    expect(readFileSync(to, 'utf8')).toBe('label');
  });

  it('takes no file for its own second name where a link makes one folder of both', async () => {
    rmSync(join(folder, 'whole'), { recursive: true });
    symlinkSync(join(folder, 'part'), join(folder, 'whole'));
    await expect(moveDataFile(ports(), step())).rejects.toMatchObject({ code: 'data-file-taken' });
    expect(readFileSync(from, 'utf8')).toBe('label');
  });

  it('moves nothing onto something, whether it is of the same size or came in the last moment', async () => {
    writeFileSync(to, 'other');
    await expect(moveDataFile(ports(), step())).rejects.toMatchObject({ code: 'data-file-taken' });
    const late: FilesPort = {
      ...nodeFiles,
      facts: async (path, follow) => (path === to ? undefined : nodeFiles.facts(path, follow)),
    };
    await expect(moveDataFile(ports(late), step())).rejects.toMatchObject({ code: 'data-file-taken' });
    expect([readFileSync(from, 'utf8'), readFileSync(to, 'utf8')]).toEqual(['label', 'other']);
  });

  it('moves no other file than the planned one, and says where neither is', async () => {
    await expect(moveDataFile(ports(), step(6))).rejects.toMatchObject({ code: 'data-file-taken' });
    rmSync(from);
    await expect(moveDataFile(ports(), step())).rejects.toMatchObject({ code: 'data-vanished' });
    writeFileSync(to, 'labels');
    await expect(moveDataFile(ports(), step())).rejects.toMatchObject({ code: 'data-file-taken' });
  });

  it('makes the folder with the first file, and none where the disk of both is away', async () => {
    to = join(folder, 'made/postdata_1.bin');
    const { uid, gid } = statSync(folder);
    const owned = { mode: 0o750, uid, gid };
    rmSync(from);
    await expect(moveDataFile(ports(), { ...step(), folder: owned })).rejects.toMatchObject({
      code: 'data-vanished',
    });
    expect(existsSync(join(folder, 'made'))).toBe(false);
    writeFileSync(from, 'label');
    await moveDataFile(ports(), { ...step(), folder: owned });
    expect(statSync(join(folder, 'made')).mode & 0o777).toBe(0o750);
    expect(readFileSync(to, 'utf8')).toBe('label');
  });

  it('copies nothing to another file system', async () => {
    const shm = join('/dev/shm', `smesh-move-${process.pid}.bin`);
    to = shm;
    try {
      await expect(moveDataFile(ports(), step())).rejects.toMatchObject({ code: 'other-file-system' });
      expect([existsSync(from), existsSync(shm)]).toEqual([true, false]);
    } finally {
      rmSync(shm, { force: true });
    }
  });

  it('moves what cannot be linked, and that onto nothing either', async () => {
    // As on exFAT, links of folders are refused.
    const [one, other] = [join(folder, 'part'), join(folder, 'elsewhere')];
    await nodeFiles.moveOnDisk(one, other);
    expect([existsSync(one), existsSync(other)]).toEqual([false, true]);
    mkdirSync(one);
    await expect(nodeFiles.moveOnDisk(one, other)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
