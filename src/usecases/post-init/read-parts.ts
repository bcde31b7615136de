import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { dataFileIndex } from '../../domain/post/completeness.ts';
import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import { dataFilePath } from '../../domain/post-init/job-files.ts';
import { JOINED_METADATA, type JoinFacts, type JoinPart } from '../../domain/post-init/join.ts';
import type { InitialisationJob } from '../../domain/project/types.ts';
import type { FilesPort } from '../../ports/files.ts';
import { lookAtFolder } from './look-at-folder.ts';

/** Parts of one identity that cannot be joined as they are; nothing of them was moved. */
export class PartsUnfit extends SmeshError {}

/** What stands in the folders of one identity's parts, and where they are to be joined. Throws what keeps it from being read. */
export async function readParts(
  files: FilesPort,
  name: string,
  jobs: readonly InitialisationJob[],
  into: string,
): Promise<JoinFacts> {
  const parts: JoinPart[] = [];
  for (const { data } of jobs) parts.push(await readPart(files, data));
  return { name, parts, into: await readInto(files, into) };
}

async function readPart(files: FilesPort, path: string): Promise<JoinPart> {
  const [seen, folder, metadataFile] = await Promise.all([
    lookAtFolder(files, path),
    files.facts(path),
    files.facts(`${path}/${METADATA_FILE}`),
  ]);
  const isThere = seen.kind === 'seen' && folder !== undefined && metadataFile?.kind === 'file';
  if (!isThere || seen.metadata.kind !== 'present')
    throw unreadable(path, 'it cannot be looked at, or has no metadata that can be read');
  const reading = readMetadata(seen.metadata.text);
  if (reading.kind === 'malformed') throw unreadable(path, reading.reasons.join('; '));
  // `postdata_01.bin` is no name of postcli's, and would not be found when it is moved.
  const names = new Set((await files.list(path)).map(({ name }) => `${path}/${name}`));
  const strange = seen.files.find(({ index }) => !names.has(dataFilePath(path, index)));
  if (strange !== undefined)
    throw unreadable(path, `file ${strange.index} has another name than postcli gives it`);
  return {
    ...{ path, files: seen.files, metadata: reading.metadata, metadataFile, folder },
    ...(names.has(`${path}/${JOINED_METADATA}`) ? { joinedBefore: true } : {}),
  };
}

async function readInto(files: FilesPort, path: string): Promise<JoinFacts['into']> {
  const facts = await files.facts(path);
  const isLost = facts === undefined && (await files.exists(path));
  const isOther = isLost || (facts !== undefined && facts.kind !== 'directory');
  const entries = facts?.kind === 'directory' ? await files.list(path) : [];
  const present = entries
    .map(({ name }) => name)
    .filter((name) => name === METADATA_FILE || dataFileIndex(name) !== undefined);
  let place = path;
  let there = facts;
  while (there === undefined && place !== dirname(place)) {
    place = dirname(place);
    there = await files.facts(place);
  }
  return { path, device: there?.device ?? -1, present, ...(isOther ? { isOther } : {}) };
}

function unreadable(path: string, why: string): PartsUnfit {
  return new PartsUnfit('part-unreadable', ExitCode.invalid, `${path} cannot be joined: ${why}`, {
    hint: 'Nothing was moved. Put that right, then run the same command again: smesh-compose post init',
  });
}
