import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ArchivePort } from '../../ports/archive.ts';

const compress = promisify(gzip);

export const nodeArchive: ArchivePort = {
  gzip: async (bytes) => new Uint8Array(await compress(bytes)),
};
