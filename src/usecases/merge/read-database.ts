import type { DatabaseState, Genesis } from '../../domain/merge/facts.ts';
import type { Context } from '../context.ts';

/** From this version on the tables are those that the rows are read from (spacemesh.md §6.2). */
const READABLE_FROM = 3;

/** What local.sql of a data folder says of identities. An old one is told by its version alone. */
export async function readDatabaseState(context: Context, folder: string): Promise<DatabaseState> {
  const path = `${folder}/local.sql`;
  const version = await (await context.ports.databaseVersion()).read(path);
  if (version.kind !== 'read') return version;
  if (version.version < READABLE_FROM) return { kind: 'read', userVersion: version.version, rows: [] };
  const facts = await (await context.ports.localDatabase()).read(path);
  if (facts.kind === 'unknown') return { ...facts, userVersion: version.version };
  if (facts.kind === 'absent') return facts;
  return {
    kind: 'read',
    userVersion: facts.userVersion,
    rows: facts.identities.map(({ smesherId, post, challenge, registrations, nipost }) => ({
      smesherId,
      post,
      registrations: registrations.length,
      nipost,
      ...(challenge === undefined ? {} : { publishEpoch: challenge.publishEpoch }),
    })),
  };
}

/** Of the file and of what is not written into it yet. */
export async function databaseBytes({ ports }: Context, folder: string): Promise<number> {
  const sizes = await Promise.all(
    ['', '-wal'].map(async (suffix) => (await ports.files.facts(`${folder}/local.sql${suffix}`))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The genesis that a node has written down at its first start (spacemesh.md §1.2); `undefined`: none, or not to be read. */
export async function readGenesis({ ports }: Context, folder: string): Promise<Genesis | undefined> {
  const text = await ports.files.readTextIfPresent(`${folder}/genesis.json`).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const content = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const find = (name: string) =>
      Object.entries(content).find(([key]) => key.toLowerCase().replace(/[^a-z]/g, '') === name)?.[1];
    const time = Date.parse(String(find('genesistime')));
    const extraData = find('genesisextradata') ?? find('extradata');
    if (Number.isNaN(time) || typeof extraData !== 'string') return undefined;
    return { time, extraData };
  } catch {
    return undefined;
  }
}
