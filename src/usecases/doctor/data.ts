import type { DataFacts } from '../../domain/doctor/disks.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Identity } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

export interface SeenData extends DataFacts {
  /** Of `identity.key` beside the data. */
  readonly keyMode?: number;
}

const PATIENCE_MS = 4000;
const LOOKS_AT_ONCE = 8;

/** Looks at the data of all identities. Nothing behind a mount point that hung once is touched again. */
export async function lookAtAllData(
  context: Context,
  identities: readonly Identity[],
): Promise<readonly SeenData[]> {
  const host = await context.ports.host();
  const seen = new Map<string, SeenData>();
  const hanging = new Set<string>();
  const queue = [...identities];
  const look = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { name: service, data: path } = next;
      // By its name alone: to follow links is to touch it.
      const mount = (await host.place(path))?.mountPoint ?? '/';
      const answers = !hanging.has(mount) && (await host.answers(`${path}/${METADATA_FILE}`, PATIENCE_MS));
      if (!answers && mount !== '/') hanging.add(mount);
      seen.set(service, answers ? await lookAtData(context, next) : { service, path, seen: 'late' });
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
  return identities.map(({ name, data }) => seen.get(name) ?? { service: name, path: data, seen: 'late' });
}

/** Whether the node's data folder answers; all that looks into it asks this first. */
export async function nodeDataAnswers(context: Context, path: string): Promise<boolean> {
  const host = await context.ports.host();
  return host.answers(path, PATIENCE_MS);
}

async function lookAtData({ ports }: Context, { name, data: path }: Identity): Promise<SeenData> {
  const { files } = ports;
  const base = { service: name, path };
  try {
    await files.readText(`${path}/${METADATA_FILE}`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EACCES' || code === 'EPERM') return { ...base, seen: 'forbidden' };
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { ...base, seen: 'broken', fault: code };
    return { ...base, ...(await lookAtFolder(files, path)) };
  }
  const host = await ports.host();
  const [place, key] = await Promise.all([
    files.realPath(path).then((real) => host.place(real)),
    files.facts(`${path}/identity.key`).catch(() => undefined),
  ]);
  return {
    ...base,
    seen: 'present',
    ...(place === undefined ? {} : { place }),
    ...(key === undefined ? {} : { keyMode: key.mode }),
  };
}

async function lookAtFolder(
  files: Context['ports']['files'],
  path: string,
): Promise<Pick<SeenData, 'seen' | 'fault'>> {
  try {
    return { seen: (await files.list(path)).length === 0 ? 'empty' : 'no-metadata' };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { seen: 'missing' };
    return code === 'EACCES' || code === 'EPERM' ? { seen: 'forbidden' } : { seen: 'broken', fault: code };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}
