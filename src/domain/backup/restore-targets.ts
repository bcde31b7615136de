import { ORCHESTRATOR_FOLDER } from '../compose/orchestrator.ts';
import { isWithin } from '../disk/mounts.ts';
import { LEASE_ENDING } from '../identity/lease.ts';
import { OWN_POET_KEY_FILE } from '../poet/own-poet.ts';
import type { BackupEntry, Contents } from './contents.ts';

export interface RestorePlaces {
  readonly directory: string;
  readonly nodeData: string;
  /** Folder of the project's own PoET service, where it has one. */
  readonly poetData?: string;
}

/** Files of a project's folder that a backup takes, as far as they are there; nothing else of it is ever put back. */
export const PROJECT_FILES = [
  'smesh.yaml',
  'compose.yaml',
  'node/config.json',
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
  '.env',
  'RUNBOOK.md',
  'init/nvidia.icd',
  'init/Dockerfile',
  `${ORCHESTRATOR_FOLDER}/Dockerfile`,
] as const;

/** Units of systemd, which are named after the project. */
export const UNITS_FOLDER = 'systemd';

function isProjectFile(name: string): boolean {
  return (PROJECT_FILES as readonly string[]).includes(name) || /^systemd\/[^/]+\.service$/.test(name);
}

/**
 * Where a file of a backup belongs in a folder that is restored; `undefined` for what stays in the backup: keys that lay
 * beside PoST data or were retired, metadata, and the folders of other nodes. Names that lead elsewhere go nowhere.
 */
export function targetOf(entry: BackupEntry, contents: Contents, places: RestorePlaces): string | undefined {
  const { kind, origin } = entry;
  if (kind === 'project' || kind === 'history') {
    const name = within(origin, contents.directory);
    if (kind === 'history') return name === '.smesh/history' ? `${places.directory}/${name}` : undefined;
    return name !== undefined && isProjectFile(name) ? `${places.directory}/${name}` : undefined;
  }
  if (kind === 'poet-key')
    return places.poetData === undefined ? undefined : `${places.poetData}/${OWN_POET_KEY_FILE}`;
  const name = within(origin, contents.nodeData);
  if (name === undefined) return undefined;
  const isPlain = (text: string) => /^[^/]+$/.test(text) && text !== '.' && text !== '..';
  const allowed: Partial<Record<BackupEntry['kind'], () => boolean>> = {
    key: () => name.startsWith('identities/') && isPlain(name.slice('identities/'.length)),
    lease: () => name.startsWith('identities/') && name.endsWith(LEASE_ENDING) && isPlain(name.slice(11)),
    p2p: () => name.startsWith('p2p/') && isPlain(name.slice('p2p/'.length)),
    genesis: () => name === 'genesis.json',
    database: () => name === 'local.sql' || name === 'local.sql-wal',
    state: () => name === 'state.sql' || name === 'state.sql-wal',
  };
  return allowed[kind]?.() === true ? `${places.nodeData}/${name}` : undefined;
}

function within(path: string, folder: string): string | undefined {
  return isWithin(path, folder) && path !== folder ? path.slice(folder.length + 1) : undefined;
}
