import { CPU_PROVIDER } from '../../domain/compose/init-jobs.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { goldenAtx } from '../../domain/node/networks.ts';
import type { Network } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import type { RehearsalFolder } from './folder.ts';

/** A unit of the private network: 64 labels of 16 bytes, in one file. */
const FILE_BYTES = 1024;

const MAKE_TIMEOUT_MS = 120_000;

/** Go's threads on a host with many cores. */
const MOST_PROCESSES = 512;

/** Directory of the n-th identity (from 1), spread over the "disks" in turn. */
export function directoryOf(folder: RehearsalFolder, number: number, disks: number): string {
  const disk = ((number - 1) % disks) + 1;
  return `${folder.disks}/disk${disk}/post${String(number).padStart(2, '0')}`;
}

/**
 * Makes throw-away identities, key and one unit of data each, with postcli in containers; a few at a time. postcli ends
 * with 0 when it fails (spacemesh.md §14.4), so success is what lies in the directory; `init` judges the data afterwards.
 */
export async function makeIdentities(
  context: Context,
  request: {
    readonly image: string;
    readonly network: Network;
    readonly folder: RehearsalFolder;
    readonly directories: readonly string[];
  },
): Promise<void> {
  const queue = [...request.directories];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      context.signal.throwIfAborted();
      await makeIdentity(context, request, next);
    }
  };
  const parallel = Math.min(Math.max(context.ports.system.cpus, 1), 4);
  // All to their end, also when one fails: nobody may remove a directory that a container still writes to.
  const ended = await Promise.allSettled(Array.from({ length: parallel }, work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

async function makeIdentity(
  context: Context,
  { image, network, folder }: Parameters<typeof makeIdentities>[1],
  directory: string,
): Promise<void> {
  const { files } = context.ports;
  const docker = await context.ports.docker();
  const { uid, gid } = folder.owner;
  await files.makeDirectory(directory, { mode: 0o700, uid, gid });
  const result = await docker.runHelper({
    image,
    keepEntrypoint: true,
    command: [
      ...['-provider', String(CPU_PROVIDER), '-commitmentAtxId', goldenAtx(network)],
      ...['-datadir', '/post', '-numUnits', '1', '-labelsPerUnit', String(network.post.labelsPerUnit)],
      ...['-maxFileSize', String(FILE_BYTES), '-yes'],
    ],
    user: `${uid}:${gid}`,
    mounts: [{ source: directory, target: '/post', writable: true }],
    timeoutMs: MAKE_TIMEOUT_MS,
    mostProcesses: MOST_PROCESSES,
  });
  const made =
    result.kind === 'ended' &&
    (await files.exists(`${directory}/identity.key`)) &&
    (await files.exists(`${directory}/postdata_metadata.json`));
  if (made) return;
  const output = result.kind === 'not-started' ? result.reason : `${result.stdout}\n${result.stderr}`;
  const how =
    result.kind === 'ended' ? `ended with exit code ${result.exitCode}` : result.kind.replace('-', ' ');
  throw new SmeshError(
    'postcli-failed',
    ExitCode.invalid,
    `postcli made no identity in ${directory}: it ${how}`,
    {
      details: output
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-5),
      hint: `Is ${image} an image of postcli? Another one: --postcli-image IMAGE`,
    },
  );
}
