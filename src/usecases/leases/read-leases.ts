import type { FoundLease } from '../../domain/identity/decide-leases.ts';
import {
  type FormerPlace,
  LEASE_ENDING,
  type Lease,
  type LeaseHere,
  type LeaseReading,
  readLease,
} from '../../domain/identity/lease.ts';
import type { Project } from '../../domain/project/types.ts';
import type { FilesPort } from '../../ports/files.ts';
import type { Context } from '../context.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { identitiesFolder } from '../node-keys.ts';

/** Where this project stands on this host, as a lease names it. */
export async function leaseHere(context: Context, project: Project): Promise<LeaseHere> {
  const { files, system } = context.ports;
  const folder = await files.facts(identitiesFolder(project));
  return {
    host: await system.host(),
    project: { name: project.name, directory: context.directory },
    nodeData: project.node.data,
    ...(folder === undefined ? {} : { folder: { device: folder.device, inode: folder.inode } }),
  };
}

/** Every `.lease` of a folder, by path; one that may not be read is unknown. No folder has none. */
export async function readLeaseFiles(
  files: FilesPort,
  folder: string,
): Promise<ReadonlyMap<string, LeaseReading>> {
  const facts = await files.facts(folder);
  if (facts?.kind !== 'directory') return new Map();
  const entries = await files.list(folder);
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith(LEASE_ENDING));
  const readings = names.map(async (name) => {
    const path = `${folder}/${name}`;
    return [path, await readLeaseFile(files, path)] as const;
  });
  return new Map(await Promise.all(readings));
}

/** `unknown` as well when it is not there: who asks has seen it. */
async function readLeaseFile(files: FilesPort, path: string): Promise<LeaseReading> {
  try {
    const reading = readLease(await files.readText(path));
    return reading.kind === 'read' && reading.lease.state === 'leaving'
      ? { ...reading, lease: await withRealTime(files, path, reading.lease) }
      : reading;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown fault';
    return { kind: 'unknown', reason: `it cannot be read (${code})` };
  }
}

/**
 * Its time was put down before the key was taken away, by a command that may have been killed in between and finished
 * hours later. The file is written after that: with the earlier time a node that read the key meanwhile would pass.
 */
async function withRealTime(files: FilesPort, path: string, lease: Lease): Promise<Lease> {
  const written = (await files.facts(path))?.modifiedMs ?? Number.POSITIVE_INFINITY;
  const leftAt = Math.max(Date.parse(lease.leftAt ?? ''), Math.ceil(written));
  const { leftAt: _, ...unknown } = lease;
  return Number.isFinite(leftAt) ? { ...lease, leftAt: new Date(leftAt).toISOString() } : unknown;
}

/** The lease beside a key file elsewhere, if there is one. */
export async function readLeaseBeside(files: FilesPort, path: string): Promise<LeaseReading | undefined> {
  const exists = await files.exists(path).catch(() => true);
  return exists ? readLeaseFile(files, path) : undefined;
}

/** With what stands now where the lease says its key is; of another host's paths nothing can be seen here. */
export async function findLease(
  context: Context,
  here: LeaseHere,
  path: string,
  reading: LeaseReading,
): Promise<FoundLease> {
  const former =
    reading.kind === 'read' && reading.lease.host.id === here.host.id
      ? await lookAtFormer(context.ports.files, here, reading.lease)
      : ({ nodeData: 'unknown', project: 'unknown' } as const);
  return { path, reading, former };
}

async function lookAtFormer(files: FilesPort, here: LeaseHere, lease: Lease): Promise<FormerPlace> {
  const [nodeData, project] = await Promise.all([
    lookAt(files, `${lease.nodeData}/identities`, here.folder),
    lookAtProject(files, lease.project.directory, here.project.directory),
  ]);
  return { nodeData, project };
}

async function lookAt(
  files: FilesPort,
  path: string,
  ours: LeaseHere['folder'],
): Promise<FormerPlace['nodeData']> {
  try {
    const facts = await files.facts(path);
    if (facts === undefined) return 'gone';
    return facts.device === ours?.device && facts.inode === ours.inode ? 'same' : 'other';
  } catch {
    return 'unknown';
  }
}

async function lookAtProject(files: FilesPort, path: string, ours: string): Promise<FormerPlace['project']> {
  try {
    if (!(await files.exists(`${path}/${PROJECT_FILE}`))) return 'gone';
    return (await files.realPath(path)) === (await files.realPath(ours)) ? 'same' : 'present';
  } catch {
    return 'unknown';
  }
}
