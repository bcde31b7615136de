import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import type { FoundProgram } from '../../domain/adopt/found.ts';
import { programOfService } from '../../domain/adopt/from-compose.ts';
import { containerFacts } from '../../domain/adopt/from-container.ts';
import { expand } from '../../domain/adopt/words.ts';
import { WORKING_DIRECTORY } from '../../domain/compose/former-project.ts';
import { COMPOSE_PATH } from '../../domain/compose/generate.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { fileState, readFileDigests } from '../../domain/compose/ownership.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { isMapping } from '../../domain/is-mapping.ts';
import { projectNameFor } from '../../domain/project/name.ts';
import { COMPOSE_OVERRIDES } from '../../ports/compose.ts';
import type { Context } from '../context.ts';
import type { EngineLook } from './engine-look.ts';

/** The names under which Compose looks for a project, in its own order. */
export const COMPOSE_FILES = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
] as const;

/** Where Compose noted on a container which files made it, separated by commas. */
const CONFIG_FILES = 'com.docker.compose.project.config_files';

/** The Compose file of a folder that is not this tool's own; `undefined`: there is none. */
export async function findComposeFile(context: Context, folder: string): Promise<string | undefined> {
  for (const name of COMPOSE_FILES) {
    const path = `${folder}/${name}`;
    const text = await context.ports.files.readTextIfPresent(path);
    if (text === undefined) continue;
    if (fileState(COMPOSE_PATH, text, readFileDigests(text)) === 'foreign') return path;
  }
  return undefined;
}

/** A Compose file by its structure: `services` by name. */
export function isComposeFile(value: unknown): boolean {
  return (
    isMapping(value) && isMapping(value['services']) && Object.values(value['services']).every(isMapping)
  );
}

/** All services of a hand-written Compose project, as Compose reads them where it is here. */
export async function readComposeProject(
  context: Context,
  file: string,
  engine: EngineLook,
): Promise<readonly FoundProgram[]> {
  const directory = dirname(file);
  const running = engine.containers.filter(({ labels }) => labels[WORKING_DIRECTORY] === directory);
  const raw = await readRaw(context, file);
  const name =
    running[0]?.project ??
    nameIn(raw) ??
    (await readDotEnv(context, directory))['COMPOSE_PROJECT_NAME'] ??
    projectNameFor(directory);
  const files = (await filesOf(context, file, running)) ?? [file];
  const services = await readServices(context, { name, directory, files }, raw);
  const containers = engine.containers.filter(({ project }) => project === name);
  const order = isMapping(raw) && isMapping(raw['services']) ? Object.keys(raw['services']) : [];
  // Compose sorts by name; people have an order of their own.
  const rank = (service: string) => (order.includes(service) ? order.indexOf(service) : order.length);
  const sorted = Object.entries(services).sort(([left], [right]) => rank(left) - rank(right));
  return Promise.all(
    sorted.map(async ([service, definition]) => {
      const container = pick(containers.filter((one) => one.service === service));
      const imageDigest = container === undefined ? undefined : await engine.digestOf(container);
      return programOfService({
        name: service,
        project: name,
        definition,
        file,
        directory,
        ...(container === undefined
          ? {}
          : {
              container: {
                ...containerFacts(container),
                words: container.command,
                mounts: container.mounts,
                addresses: container.addresses.flatMap(({ ip }) => ip ?? []),
                image: container.image,
              },
            }),
        ...(imageDigest === undefined ? {} : { imageDigest }),
      });
    }),
  );
}

function pick(containers: readonly ObservedContainer[]): ObservedContainer | undefined {
  return containers.find(({ state }) => state === 'running') ?? containers[0];
}

function nameIn(raw: unknown): string | undefined {
  const name = isMapping(raw) ? raw['name'] : undefined;
  return typeof name === 'string' && /^[a-z0-9][a-z0-9_-]*$/.test(name) ? name : undefined;
}

async function readRaw(context: Context, file: string): Promise<unknown> {
  return parseCompose(file, await context.ports.files.readText(file));
}

/** The YAML of a file; throws (exit 3) with the line of its fault. */
export function parseCompose(file: string, text: string): unknown {
  try {
    return parse(text, { merge: true, maxAliasCount: 10_000, logLevel: 'error' });
  } catch (cause) {
    const [line = 'it is no YAML'] = String(cause instanceof Error ? cause.message : cause).split(/:?\n/);
    throw new SmeshError('bad-compose-file', ExitCode.invalid, `${file}: ${line}`, {
      hint: 'Nothing was changed.',
      cause,
    });
  }
}

/** What the running containers were made from; else the file and the override that Compose finds beside it. */
async function filesOf(
  { ports: { files } }: Context,
  file: string,
  running: readonly ObservedContainer[],
): Promise<readonly string[] | undefined> {
  const said = running[0]?.labels[CONFIG_FILES]?.split(',') ?? [];
  const exist = await Promise.all(said.map((path) => files.exists(path)));
  if (said.includes(file) && exist.every(Boolean)) return said;
  if (!COMPOSE_FILES.some((name) => name === basename(file))) return undefined;
  for (const name of COMPOSE_OVERRIDES) {
    const path = `${dirname(file)}/${name}`;
    if (await files.exists(path)) return [file, path];
  }
  return undefined;
}

type Services = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function readServices(
  context: Context,
  project: { readonly name: string; readonly directory: string; readonly files: readonly string[] },
  raw: unknown,
): Promise<Services> {
  try {
    const compose = await context.ports.compose();
    return (await compose.config(project)).services as Services;
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    if (error.code === 'compose-failed')
      throw new SmeshError(
        'bad-compose-file',
        ExitCode.invalid,
        `${project.files.join(', ')}: ${error.message}`,
        {
          details: error.details,
          hint: 'Nothing was changed.',
          cause: error,
        },
      );
    if (error.exitCode !== ExitCode.environment) throw error;
    context.out.warn(
      `Compose is not here to read ${project.files[0]} (${error.message}); it is read without it.`,
    );
    return readWithoutCompose(context, project.directory, raw);
  }
}

/** Variables from `.env` and the environment; no `extends`, no `include`. */
async function readWithoutCompose(context: Context, directory: string, raw: unknown): Promise<Services> {
  const environment = await readDotEnv(context, directory);
  for (const [name, value] of Object.entries(context.env)) if (value !== undefined) environment[name] = value;
  const services = isMapping(raw) && isMapping(raw['services']) ? raw['services'] : {};
  return interpolate(services, environment) as Services;
}

async function readDotEnv(context: Context, directory: string): Promise<Record<string, string>> {
  const text = (await context.ports.files.readTextIfPresent(`${directory}/.env`)) ?? '';
  const environment: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/gm))
    environment[name] = value.replace(/^(['"])(.*)\1$/, '$2');
  return environment;
}

function interpolate(value: unknown, environment: Readonly<Record<string, string>>): unknown {
  // `$$` is a dollar for the program inside, and stays doubled until the service is read.
  if (typeof value === 'string')
    return value
      .split('$$')
      .map((part) => expand(part, environment))
      .join('$$');
  if (Array.isArray(value)) return value.map((entry) => interpolate(entry, environment));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, interpolate(entry, environment)]),
  );
}
