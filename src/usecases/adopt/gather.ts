import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import type { FoundProgram, NotExpressible, NotTaken } from '../../domain/adopt/found.ts';
import { readScheduler } from '../../domain/adopt/from-scheduler.ts';
import { foundRole } from '../../domain/adopt/role.ts';
import { COMPOSE_PATH } from '../../domain/compose/generate.ts';
import { fileState, readFileDigests } from '../../domain/compose/ownership.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import {
  COMPOSE_FILES,
  findComposeFile,
  isComposeFile,
  parseCompose,
  readComposeProject,
} from './compose-source.ts';
import { type EngineLook, lookAtEngine } from './engine-look.ts';

/** Everything that was named, or found where nothing was named. */
export interface Gathered {
  /** For the first line of smesh.yaml. */
  readonly source: string;
  readonly programs: readonly FoundProgram[];
  /** Told by a scheduler: whose data a container proves. */
  readonly ids: ReadonlyMap<string, SmesherId>;
  readonly schedulers: readonly string[];
  /** Compose files that were read. */
  readonly composeFiles: readonly string[];
  readonly k2powSlots?: number;
  readonly left: readonly NotExpressible[];
  readonly notTaken: readonly NotTaken[];
  /** Nodes of the engine, for sources that list post-services only. */
  engineNodes(): Promise<readonly FoundProgram[]>;
}

interface Part {
  readonly programs: readonly FoundProgram[];
  readonly ids?: ReadonlyMap<string, SmesherId>;
  readonly schedulers?: readonly string[];
  readonly composeFiles?: readonly string[];
  readonly k2powSlots?: number;
  readonly left?: readonly NotExpressible[];
  readonly notTaken?: readonly NotTaken[];
}

/** Looks at files and containers; touches nothing. */
export async function gather(context: Context, sources: readonly string[]): Promise<Gathered> {
  const engine = await lookAtEngine(context);
  const parts =
    sources.length === 0
      ? [await fromHere(context, engine)]
      : await Promise.all(sources.map((source) => fromSource(context, engine, source)));
  const programs = unique(parts.flatMap((part) => part.programs));
  const k2powSlots = parts.find((part) => part.k2powSlots !== undefined)?.k2powSlots;
  const containers = programs
    .filter((program) => foundRole(program) === 'scheduler')
    .map(({ where }) => where);
  return {
    source: sources.length === 0 ? `what was found in ${context.directory}` : sources.join(', '),
    programs,
    ids: new Map(parts.flatMap((part) => [...(part.ids ?? [])])),
    schedulers: [...new Set([...containers, ...parts.flatMap((part) => part.schedulers ?? [])])],
    composeFiles: parts.flatMap((part) => part.composeFiles ?? []),
    left: parts.flatMap((part) => part.left ?? []),
    notTaken: parts.flatMap((part) => part.notTaken ?? []),
    ...(k2powSlots === undefined ? {} : { k2powSlots }),
    engineNodes: async () => {
      const all = await Promise.all(engine.containers.map((container) => engine.program(container)));
      return all.filter((program) => foundRole(program) === 'node');
    },
  };
}

/** The same container named twice, or in a file and by its name, is one. */
function unique(programs: readonly FoundProgram[]): readonly FoundProgram[] {
  return [...new Map(programs.map((program) => [program.container?.id ?? program.where, program])).values()];
}

async function fromCompose(context: Context, engine: EngineLook, file: string): Promise<Part> {
  if (engine.unseen !== undefined)
    context.out.warn(`Docker could not be asked what of ${file} runs: ${engine.unseen.message}`);
  return { programs: await readComposeProject(context, file, engine), composeFiles: [file] };
}

async function fromHere(context: Context, engine: EngineLook): Promise<Part> {
  const file = await findComposeFile(context, context.directory);
  if (file !== undefined) return fromCompose(context, engine, file);
  if (engine.unseen !== undefined) throw engine.unseen;
  const programs = await Promise.all(engine.containers.map((container) => engine.program(container)));
  return { programs: programs.filter((program) => foundRole(program) !== 'other') };
}

async function fromSource(context: Context, engine: EngineLook, source: string): Promise<Part> {
  const path = fromWorkingDirectory(source);
  const facts = await context.ports.files.facts(path);
  if (facts?.kind === 'directory') {
    const file = await findComposeFile(context, path);
    if (file !== undefined) return fromCompose(context, engine, file);
    throw new SmeshError(
      'nothing-to-adopt',
      ExitCode.invalid,
      `${path} has no Compose file of somebody else's`,
      {
        details: [`looked for ${COMPOSE_FILES.join(', ')}`],
        hint: 'Nothing was changed. Name a file, or containers by name.',
      },
    );
  }
  // A pipe or a device is never read to its end.
  if (facts !== undefined && facts.kind !== 'file')
    throw new SmeshError('nothing-to-adopt', ExitCode.invalid, `${path} is neither a file nor a folder`, {
      hint: 'Nothing was changed. Name a Compose file, a folder, or containers by name.',
    });
  if (facts !== undefined) return fromFile(context, engine, path);
  const named = engine.containers.filter(
    ({ id, name, project }) =>
      name === source || project === source || (source.length >= 12 && id.startsWith(source)),
  );
  if (named.length > 0) return { programs: await Promise.all(named.map((one) => engine.program(one))) };
  if (engine.unseen !== undefined) throw engine.unseen;
  throw new SmeshError(
    'nothing-to-adopt',
    ExitCode.invalid,
    `${source} is no file, no folder, no container and no Compose project of this engine`,
    { hint: 'Nothing was changed. See what there is: docker ps -a' },
  );
}

async function fromFile(context: Context, engine: EngineLook, path: string): Promise<Part> {
  const text = await context.ports.files.readText(path);
  if (isComposeFile(parsed(text))) {
    if (fileState(COMPOSE_PATH, text, readFileDigests(text)) === 'foreign')
      return fromCompose(context, engine, path);
    throw new SmeshError('nothing-to-adopt', ExitCode.invalid, `${path} is of smesh-compose's own making`, {
      hint: 'Nothing was changed. Its project is in the smesh.yaml beside it.',
    });
  }
  const reading = readScheduler({ text, file: path, directory: dirname(path) });
  if (reading.programs.length === 0 && reading.listed.length === 0) {
    // Of a file that wants to be one the fault is named, with its line: else a slip of the pen reads as a wrong file.
    if (/\.(ya?ml|json)$/i.test(path)) parseCompose(path, text);
    throw new SmeshError(
      'nothing-to-adopt',
      ExitCode.invalid,
      `${path} is no Compose file, and no post-service is in it`,
      {
        details: [
          'Read are Compose files, lists of post-services (a name, and an id, units or a /status address each), and command lines of post-service or docker run.',
        ],
        hint: 'Nothing was changed.',
      },
    );
  }
  const byName = new Map(engine.containers.map((container) => [container.name, container]));
  const ids = new Map<string, SmesherId>();
  const programs: FoundProgram[] = [];
  const notTaken: NotTaken[] = [];
  for (const { name, smesherId } of reading.listed) {
    if (smesherId !== undefined) ids.set(name, smesherId);
    const container = byName.get(name);
    if (container !== undefined) programs.push(await engine.program(container));
    else if (!reading.programs.some((program) => program.name === name))
      notTaken.push({
        service: name,
        why: `${basename(path)} lists it, but ${engine.unseen === undefined ? 'the engine has no container of that name' : 'Docker could not be asked for it'}`,
      });
  }
  for (const program of reading.programs) {
    const container = byName.get(program.name);
    // What runs says more than the line that once started it.
    programs.push(
      container === undefined || program.image === undefined ? program : await engine.program(container),
    );
  }
  return {
    programs,
    ids,
    notTaken,
    left: reading.left,
    // Start scripts are no scheduler, but something runs them.
    schedulers: [path],
    ...(reading.k2powSlots === undefined ? {} : { k2powSlots: reading.k2powSlots }),
  };
}

function parsed(text: string): unknown {
  try {
    return parse(text, { merge: true, logLevel: 'error' });
  } catch {
    return undefined;
  }
}
