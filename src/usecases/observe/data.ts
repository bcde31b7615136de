import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import type { Identity } from '../../domain/project/types.ts';
import type { DataSeen } from '../../domain/proving/status-report.ts';
import { type Question, within } from './question.ts';

/** What this host sees of one identity's PoST data. */
export interface DataLook {
  readonly kind: DataSeen;
  readonly realPath?: string;
  /** As `scan` names it. */
  readonly disk?: string;
  readonly units?: number;
}

async function lookAtData(
  { ports, clock, timeoutMs }: Question,
  identity: Identity,
): Promise<DataLook | undefined> {
  const look = async (): Promise<DataLook> => {
    try {
      const realPath = await ports.files.realPath(identity.data);
      const reading = readMetadata(await ports.files.readText(`${identity.data}/${METADATA_FILE}`));
      return reading.kind === 'read'
        ? { kind: 'present', realPath, units: reading.metadata.units }
        : { kind: 'present', realPath };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
      return { kind: code === 'EACCES' || code === 'EPERM' ? 'unreadable' : 'unknown' };
    }
  };
  // A dead network share answers never.
  return within(clock, look(), timeoutMs);
}

/** Looks at the data of all identities at once; what does not answer in time is `unknown`. */
export async function lookAtAllData(question: Question): Promise<readonly DataLook[]> {
  const { ports, project } = question;
  const [looks, scanner] = await Promise.all([
    Promise.all(project.identities.map((identity) => lookAtData(question, identity))),
    ports.scanner(),
  ]);
  const names = scanner.diskNames(looks.flatMap((look) => look?.realPath ?? []));
  return project.identities.map((identity, index): DataLook => {
    const look = looks[index] ?? { kind: 'unknown' };
    const disk = identity.disk ?? names.get(look.realPath ?? '');
    return disk === undefined ? look : { ...look, disk };
  });
}
