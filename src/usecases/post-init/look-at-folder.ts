import { type DataFile, dataFileIndex } from '../../domain/post/completeness.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { FolderSeen, MetadataSeen } from '../../domain/post-init/judge-job.ts';
import type { FilesPort } from '../../ports/files.ts';

/** A set of a hundred units has 1600 files; asked all at once they keep every other question waiting. */
const FILES_AT_ONCE = 32;

/** Metadata takes 250 bytes; what is called so and takes a megabyte is something else. */
const LARGEST_METADATA = 1024 * 1024;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}

function isForbidden(code: string): boolean {
  return code === 'EACCES' || code === 'EPERM';
}

/** Names, sizes and metadata of a PoST directory. Never rejects for what the disk says. */
export async function lookAtFolder(files: FilesPort, path: string): Promise<FolderSeen> {
  try {
    const names = (await files.list(path)).flatMap(({ name }) => {
      const index = dataFileIndex(name);
      return index === undefined ? [] : [{ name, index }];
    });
    const found: DataFile[] = [];
    let writtenAt: number | undefined;
    const queue = [...names];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const facts = await files.facts(`${path}/${next.name}`);
        if (facts === undefined) continue;
        found.push({ index: next.index, size: facts.size });
        writtenAt = Math.max(writtenAt ?? 0, facts.modifiedMs);
      }
    };
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
    found.sort((a, b) => a.index - b.index);
    const metadata = await lookAtMetadata(files, path);
    return { kind: 'seen', files: found, metadata, ...(writtenAt === undefined ? {} : { writtenAt }) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return isForbidden(code) ? { kind: 'forbidden' } : { kind: 'broken', fault: code };
  }
}

async function lookAtMetadata(files: FilesPort, path: string): Promise<MetadataSeen> {
  const name = `${path}/${METADATA_FILE}`;
  try {
    const facts = await files.facts(name);
    if (facts === undefined) return { kind: 'absent' };
    if (facts.kind !== 'file' || facts.size > LARGEST_METADATA) return { kind: 'present', text: '' };
    return { kind: 'present', text: await files.readText(name) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return { kind: 'absent' };
    if (isForbidden(code)) return { kind: 'unreadable' };
    throw error;
  }
}
