import { parse } from 'yaml';
import { parseSmesherId, type SmesherId, smesherIdFromBase64 } from '../identity/smesher-id.ts';
import { isMapping } from '../is-mapping.ts';
import { programOfDockerRun } from './docker-run.ts';
import type { FoundProgram, NotExpressible } from './found.ts';
import { shownValue } from './found.ts';
import type { Tree } from './node-flags.ts';
import { isProverCommand } from './role.ts';
import { shellCommands } from './words.ts';

/** A container that a scheduler lists by name. */
export interface ListedService {
  readonly name: string;
  readonly role: 'node' | 'prover';
  readonly smesherId?: SmesherId;
}

export interface SchedulerReading {
  /** Told by their command lines. */
  readonly programs: readonly FoundProgram[];
  readonly listed: readonly ListedService[];
  /** Post-services that may do k2pow at the same time. */
  readonly k2powSlots?: number;
  readonly left: readonly NotExpressible[];
}

export interface SchedulerFile {
  readonly text: string;
  readonly file: string;
  /** Absolute. */
  readonly directory: string;
}

/**
 * What a schedule, a workflow or a start script says about post-services, whatever wrote it: command lines of
 * post-service and `docker run` anywhere in it, and lists of entries with a name and something of a post-service
 * (operators.md §a: a psm config, a dagu DAG, start scripts). Nothing is recognised by the name of a program.
 */
export function readScheduler(source: SchedulerFile): SchedulerReading {
  const value = parseAnything(source.text);
  const reading = {
    programs: [] as FoundProgram[],
    listed: [] as ListedService[],
    left: [] as NotExpressible[],
  };
  const slots: number[] = [];
  walk(isMapping(value) || Array.isArray(value) ? value : source.text, source, reading, slots);
  const [k2powSlots] = slots;
  return {
    programs: uniqueByName(reading.programs),
    listed: uniqueByName(reading.listed),
    left: uniqueLeft(reading.left),
    ...(k2powSlots === undefined ? {} : { k2powSlots }),
  };
}

function parseAnything(text: string): unknown {
  try {
    return parse(text, { merge: true, logLevel: 'error' });
  } catch {
    return undefined;
  }
}

interface Collected {
  readonly programs: FoundProgram[];
  readonly listed: ListedService[];
  readonly left: NotExpressible[];
}

function walk(value: unknown, source: SchedulerFile, found: Collected, slots: number[]): void {
  if (typeof value === 'string') {
    found.programs.push(...programsOfText(value, source));
    return;
  }
  if (Array.isArray(value)) {
    // A command line as a list of words.
    if (value.length > 2 && value.every((word) => typeof word === 'string' || typeof word === 'number')) {
      const words = value.map(String);
      if (isProverCommand(words)) found.programs.push(bareProgram(words, source));
    }
    for (const entry of value) {
      const listed = isMapping(entry) ? listedService(entry) : undefined;
      if (listed !== undefined) found.listed.push(listed);
      walk(entry, source, found, slots);
    }
    return;
  }
  if (!isMapping(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    if (/^(depends|depends_on|needs|after)$/.test(key) && entry !== null)
      found.left.push(
        leave(source, key, entry, 'left out: smesh-compose run lets one identity per disk read at a time'),
      );
    if (/parallel|max_pow/i.test(key) && Number.isInteger(entry) && Number(entry) > 0)
      slots.push(Number(entry));
    if (/^(nodes?|smesher)$/.test(key)) found.listed.push(...listedNodes(entry));
    walk(entry, source, found, slots);
  }
}

function leave({ file }: SchedulerFile, key: string, value: unknown, meaning: string): NotExpressible {
  return { service: file, key, value: shownValue('', value), meaning };
}

/** A node that has a name and a place to be reached at. */
function listedNodes(entry: unknown): readonly ListedService[] {
  const entries: readonly unknown[] = Array.isArray(entry) ? entry : [entry];
  return entries.flatMap((one) => {
    const name = isMapping(one) ? nameOf(one) : undefined;
    return name === undefined || !isMapping(one) || one['endpoint'] === undefined
      ? []
      : [{ name, role: 'node' as const }];
  });
}

/** An entry counts with a name and an identity, a number of units or an address to ask its state at. */
function listedService(entry: Tree): ListedService | undefined {
  const name = nameOf(entry);
  if (name === undefined) return undefined;
  const texts = leaves(entry);
  const smesherId = texts.map(({ value }) => idOf(value)).find((id) => id !== undefined);
  const isPost = texts.some(
    ({ key, value }) =>
      /^(num_?units|su|units)$/i.test(key) || /^https?:\/\/\S+\/status$/.test(String(value)),
  );
  if (smesherId === undefined && !isPost) return undefined;
  return { name, role: 'prover', ...(smesherId === undefined ? {} : { smesherId }) };
}

function nameOf(entry: Tree): string | undefined {
  const name = entry['container'] ?? entry['container_name'] ?? entry['name'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function leaves(value: unknown, key = ''): readonly { readonly key: string; readonly value: unknown }[] {
  if (isMapping(value)) return Object.entries(value).flatMap(([name, entry]) => leaves(entry, name));
  return Array.isArray(value) ? [] : [{ key, value }];
}

function idOf(value: unknown): SmesherId | undefined {
  return typeof value === 'string' ? (smesherIdFromBase64(value) ?? parseSmesherId(value)) : undefined;
}

/** Command lines in a text of the shell, and lines `docker run`. */
function programsOfText(text: string, source: SchedulerFile): readonly FoundProgram[] {
  return shellCommands(text).flatMap((words) => {
    const run = programOfDockerRun(words, source);
    if (run !== undefined) return [run];
    return isProverCommand(words) ? [bareProgram(words, source)] : [];
  });
}

/** A process of the host. Nothing says what its relative paths count from: near the file is all that is known. */
function bareProgram(words: readonly string[], { file, directory }: SchedulerFile): FoundProgram {
  const at = words.findIndex((word) => /^(--dir|-d)(=|$)/.test(word));
  const dir = words[at]?.split('=')[1] ?? words[at + 1] ?? '';
  const name =
    dir
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .at(-1) ?? 'post';
  const parents = directory
    .split('/')
    .map((_, index, all) => all.slice(0, all.length - index).join('/') || '/');
  return {
    name,
    where: `${name} in ${file}`,
    words,
    environment: {},
    mounts: [],
    ports: [],
    hostNetwork: true,
    names: [name, 'localhost', '127.0.0.1'],
    folders: parents.slice(0, 3),
    rest: [],
  };
}

function uniqueByName<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

function uniqueLeft(entries: readonly NotExpressible[]): readonly NotExpressible[] {
  return [...new Map(entries.map((entry) => [`${entry.key} ${entry.meaning}`, entry])).values()];
}
