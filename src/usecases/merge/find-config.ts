import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { readSourceConfig, type SourceConfig } from '../../domain/merge/source-config.ts';
import type { FilesPort } from '../../ports/files.ts';

/** Beside databases, which may be large, nothing of a node is called like that. */
const NOT_CONFIG = /^(genesis|package.*|tsconfig.*|postdata_metadata|peerdb.*|nipost.*)\.json$/;
const LARGEST = 1024 * 1024;

/**
 * The config of each node, in the order of the nodes: those that were named (as many as nodes, or one for all), else what
 * lies in or beside the data folder and names it, or is the only one there.
 */
export async function findConfigs(
  files: FilesPort,
  folders: readonly string[],
  named: readonly string[],
): Promise<readonly (SourceConfig | undefined)[]> {
  if (named.length === 0) return Promise.all(folders.map((folder) => lookAround(files, folder)));
  if (named.length !== 1 && named.length !== folders.length) {
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `${named.length} configs for ${folders.length} nodes: --config wants one for each, in their order, or one for all. Nothing was changed.`,
    );
  }
  const configs = await Promise.all(named.map((path) => readNamed(files, path)));
  return folders.map((_, index) => configs[named.length === 1 ? 0 : index]);
}

async function readNamed(files: FilesPort, path: string): Promise<SourceConfig> {
  const text = await files.readTextIfPresent(path);
  if (text === undefined)
    throw new SmeshError('no-config', ExitCode.invalid, `There is no file ${path}. Nothing was changed.`);
  const config = readSourceConfig(path, text);
  if (config !== undefined) return config;
  throw new SmeshError(
    'no-config',
    ExitCode.invalid,
    `${path} is no config of a node: no JSON with one of its sections (main, smeshing, api). Nothing was changed.`,
    { hint: 'Name the file that the node is started with: its --config (-c).' },
  );
}

async function lookAround(files: FilesPort, folder: string): Promise<SourceConfig | undefined> {
  const found = await Promise.all([folder, dirname(folder)].map((place) => configsIn(files, place)));
  const configs = found.flat();
  const naming = configs.filter(({ dataFolder }) => dataFolder === folder);
  const inside = found[0] ?? [];
  for (const candidates of [naming, inside, configs]) {
    const [only, second] = candidates;
    if (only !== undefined && second === undefined) return only;
  }
  return undefined;
}

async function configsIn(files: FilesPort, place: string): Promise<readonly SourceConfig[]> {
  const entries = await files.list(place).catch(() => []);
  const names = entries
    .filter(({ kind, name }) => kind === 'file' && name.endsWith('.json') && !NOT_CONFIG.test(name))
    .map(({ name }) => `${place}/${name}`);
  const configs = await Promise.all(
    names.map(async (path) => {
      const facts = await files.facts(path).catch(() => undefined);
      if (facts === undefined || facts.size > LARGEST) return undefined;
      return readSourceConfig(path, await files.readText(path).catch(() => ''));
    }),
  );
  return configs.filter((config) => config !== undefined);
}
