import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import { judgeKeys, type KeyFacts } from '../../domain/doctor/keys.ts';
import { SmeshError } from '../../domain/errors.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { InitialisationJob } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeOwner } from '../owners.ts';
import { readPendingKeys } from '../pending-keys.ts';
import type { SharedLooks } from './look.ts';

const PATIENCE_MS = 4000;

/** The keys that the node reads, those that wait for their data, and the originals beside data. */
export async function checkKeys(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { project } = looks.project;
  const folder = identitiesFolder(project);
  const [installed, owner, data] = await Promise.all([
    readKeys(context, folder),
    nodeOwner(context, project),
    looks.data(),
  ]);
  if (installed instanceof SmeshError) {
    return [
      finding('key-fault', {
        subject: folder,
        message: installed.message,
        evidence: installed.code,
        ...(installed.hint === undefined ? {} : { remedy: installed.hint }),
      }),
    ];
  }
  const jobs = project.initialisation?.jobs ?? [];
  return judgeKeys({
    folder,
    installed,
    pending: installed === 'unreadable' ? [] : await readPendingKeys(context, folder),
    jobs,
    besideJobs: await besideJobs(context, jobs),
    identities: project.identities,
    nodeUid: owner.uid,
    originals: data.flatMap(({ path, keyMode }) =>
      keyMode === undefined ? [] : [{ path: `${path}/identity.key`, mode: keyMode }],
    ),
  });
}

/** Jobs that somebody wrote by hand may have their keys beside the data, as postcli puts them. */
async function besideJobs(
  context: Context,
  jobs: readonly InitialisationJob[],
): Promise<ReadonlySet<SmesherId>> {
  if (jobs.length === 0) return new Set();
  const host = await context.ports.host();
  const { files, crypto } = context.ports;
  const folders = [...new Set(jobs.flatMap(({ data, into }) => [data, into ?? data]))];
  const found = folders.map(async (folder) => {
    const path = `${folder}/identity.key`;
    // A disk that hangs is not touched by this process.
    if (!(await host.answers(path, PATIENCE_MS))) return [];
    const bytes = await files.readBytes(path).catch(() => undefined);
    const reading = bytes === undefined ? undefined : readKeyFile(bytes, crypto.publicKeyOfSeed);
    return reading === undefined || reading.kind === 'malformed' ? [] : [reading.smesherId];
  });
  return new Set((await Promise.all(found)).flat());
}

async function readKeys(
  context: Context,
  folder: string,
): Promise<readonly KeyFacts[] | 'unreadable' | SmeshError> {
  try {
    const keys = await readInstalledKeys(context, folder);
    // What this user may not read, the node may: nothing is known of it.
    return keys.some(({ fault }) => /\((EACCES|EPERM)\)$/.test(fault ?? '')) ? 'unreadable' : keys;
  } catch (error) {
    if (error instanceof SmeshError) return error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') return 'unreadable';
    throw error;
  }
}
