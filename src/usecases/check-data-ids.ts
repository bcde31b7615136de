import { COMPOSE_PATH } from '../domain/compose/generate.ts';
import { servedData } from '../domain/compose/served-data.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import { lookAtMetadata } from '../domain/post/data-access.ts';
import { METADATA_FILE } from '../domain/post/metadata.ts';
import { formatDiagnostic } from '../domain/project/diagnostics.ts';
import { diagnose, readSource } from '../domain/project/source.ts';
import type { Identity, Project } from '../domain/project/types.ts';
import type { Context } from './context.ts';
import { PROJECT_FILE } from './load-project.ts';

interface Mismatch {
  readonly index: number;
  readonly identity: Identity;
  readonly found: SmesherId;
}

/**
 * Refuses (exit 3) a `data:` in smesh.yaml that leads to another identity's directory: its service would take that
 * one's place. Directories that are away or may not be read are looked at again, from inside, by `up`; so is what
 * compose.yaml says already, where not a hand but two disks have changed places, which holds back those services only.
 *
 * @param text smesh.yaml, when it is not yet the one on disk
 */
export async function refuseForeignData(
  context: Context,
  project: Project,
  text: string | undefined,
): Promise<void> {
  const { files } = context.ports;
  const looks = await Promise.all(
    project.identities.map(async (identity, index): Promise<Mismatch | undefined> => {
      const metadata = await files.readText(`${identity.data}/${METADATA_FILE}`).catch(() => undefined);
      const look = metadata === undefined ? undefined : lookAtMetadata(metadata);
      if (look?.kind !== 'readable' || look.smesherId === undefined) return undefined;
      return look.smesherId === identity.id ? undefined : { index, identity, found: look.smesherId };
    }),
  );
  const mismatches = looks.filter((mismatch) => mismatch !== undefined);
  if (mismatches.length === 0) return;
  const compose = await files.readTextIfPresent(`${context.directory}/${COMPOSE_PATH}`);
  const served = compose === undefined ? new Map<SmesherId, string>() : servedData(compose);
  const said = mismatches.filter(({ identity }) => served.get(identity.id) !== identity.data);
  if (said.length === 0) return;
  const source = readSource(
    text ?? (await files.readText(`${context.directory}/${PROJECT_FILE}`)),
    PROJECT_FILE,
  );
  const [first, ...others] = said.map(({ index, identity, found }) => {
    const owner = project.identities.find(({ id }) => id === found);
    const whose = owner === undefined ? shortId(found) : `${owner.name} (${shortId(found)})`;
    const message = `${identity.data} holds the PoST data of ${whose}, not of ${identity.name} (${shortId(identity.id)})`;
    return formatDiagnostic(diagnose(source, 'error', ['identities', index, 'data'], message));
  });
  throw new SmeshError('foreign-data', ExitCode.invalid, first ?? '', {
    details: others,
    hint: 'Nothing was changed. Name the directory that has its data (smesh-compose scan shows whose is where); or, where another disk is mounted there, mount the right one.',
  });
}
