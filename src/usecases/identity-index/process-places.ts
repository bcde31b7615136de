import { flagValue, isNodeProgram, isProverProgram } from '../../domain/compose/who-serves.ts';
import type { Place } from '../../domain/identity/places.ts';
import type { FilesPort } from '../../ports/files.ts';
import { whenIdle } from './container-places.ts';
import type { FolderReader } from './folder-reader.ts';
import { nodeDataFolder } from './node-data-folder.ts';

/**
 * Nodes and post-services that run outside of this engine's containers: systemd, a shell, another engine (S23).
 *
 * @param containers IDs of all containers of the engine: their processes were looked at with them
 */
export async function placesOfProcesses(
  files: FilesPort,
  reader: FolderReader,
  containers: readonly string[],
): Promise<readonly Place[]> {
  const entries = await files.list('/proc').catch(() => []);
  const places = await Promise.all(
    entries
      .filter(({ name }) => /^\d+$/.test(name))
      .map(({ name }) => placesOfProcess(files, reader, containers, name)),
  );
  return places.flat();
}

async function placesOfProcess(
  files: FilesPort,
  reader: FolderReader,
  containers: readonly string[],
  pid: string,
): Promise<readonly Place[]> {
  // Processes end while we look; those of others may be hidden.
  const command = await files.readText(`/proc/${pid}/cmdline`).catch(() => '');
  const words = command.split('\0');
  const isNode = isNodeProgram(words[0] ?? '');
  if (!isNode && !isProverProgram(words[0] ?? '')) return [];
  const groups = await files.readText(`/proc/${pid}/cgroup`).catch(() => '');
  if (containers.some((id) => groups.includes(id))) return [];
  const folder = await processFolder(files, pid, words, isNode);
  const program = (words[0] ?? '').slice((words[0] ?? '').lastIndexOf('/') + 1);
  const service = /\/([^/\n]+\.service)/.exec(groups)?.[1];
  const named = `process ${program} (pid ${pid}${service === undefined ? '' : `, ${service}`}`;
  const stop = service === undefined ? `kill ${pid}` : `systemctl disable --now ${service}`;
  const found = isNode
    ? await reader.keysOf(folder, { who: `${named})`, live: true, stop })
    : { keys: await reader.dataOf(folder), left: [] };
  // Since when a process runs is not asked: one whose keys were taken away may go on with them.
  const ids = [...found.keys, ...found.left.map(({ smesherId }) => smesherId)];
  const removal = service === undefined ? `End that process for good, then try again: ${stop}` : stop;
  return ids.map((smesherId) => ({
    smesherId,
    by: isNode ? 'key' : 'data',
    use: 'serves',
    who: `${named}, ${folder})`,
    holder: `process ${pid}`,
    path: isNode ? `${folder}/identities` : folder,
    runs: true,
    live: true,
    own: false,
    remedy: isNode ? removal : whenIdle(removal),
  }));
}

/** Its folder as this process can reach it: relative ones from its working directory, and in its own root. */
async function processFolder(
  files: FilesPort,
  pid: string,
  words: readonly string[],
  isNode: boolean,
): Promise<string> {
  const root = `/proc/${pid}/root`;
  const cwd = `/proc/${pid}/cwd`;
  const environment = await files.readText(`/proc/${pid}/environ`).catch(() => '');
  const home = environment.split('\0').find((entry) => entry.startsWith('HOME='));
  const folder = isNode
    ? await nodeDataFolder(files, words, { root, cwd, home: home?.slice('HOME='.length) ?? '/root' })
    : (flagValue(words, ['--dir', '-d']) ?? '.');
  return folder.startsWith('/') ? `${root}${folder}` : `${cwd}/${folder}`;
}
