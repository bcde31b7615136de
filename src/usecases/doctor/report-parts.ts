import { several } from '../../domain/doctor/words.ts';
import type { NodeEvent } from '../../domain/node/events.ts';
import type { Project } from '../../domain/project/types.ts';
import { COMPOSE_OVERRIDES } from '../../ports/compose.ts';
import type { LogLine } from '../../ports/docker.ts';
import { statusDocument } from '../../ui/status-json.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { readInterrupted, stateFolder } from '../journal.ts';
import { observeProject } from '../observe.ts';
import { buildReport } from '../status/report.ts';
import { inTime, type SharedLooks } from './look.ts';
import { ownContainers } from './report-knowledge.ts';

/** One thing that goes into a report, as it is before anything is blanked. */
export type ReportPart =
  | { readonly kind: 'value'; readonly path: string; readonly what: string; readonly value: unknown }
  | { readonly kind: 'file'; readonly path: string; readonly what: string; readonly text: string }
  | {
      readonly kind: 'log';
      readonly path: string;
      readonly what: string;
      readonly lines: readonly LogLine[];
    };

/** Something that should be in it and could not be had. */
export interface MissingPart {
  readonly what: string;
  readonly why: string;
}

export interface GatheredParts {
  readonly parts: readonly ReportPart[];
  readonly missing: readonly MissingPart[];
}

const PART_MS = 20_000;
/** More logs at once only queue up inside the engine. */
const LOGS_AT_ONCE = 8;
const LARGEST_FILE = 4 * 1024 * 1024;

/**
 * Everything that helps with a bug and may be told once it is blanked. Never a key file, never PoST data, never the
 * content of a database.
 */
export async function gatherParts(
  context: Context,
  looks: SharedLooks,
  options: { readonly logLines: number },
): Promise<GatheredParts> {
  const parts: ReportPart[] = [];
  const missing: MissingPart[] = [];
  const gather = async (what: string, ask: () => Promise<readonly ReportPart[]>): Promise<void> => {
    try {
      const found = await inTime(context, ask(), PART_MS);
      if (found === undefined) missing.push({ what, why: `no answer within ${PART_MS / 1000} s` });
      else parts.push(...found);
    } catch (error) {
      missing.push({ what, why: error instanceof Error ? error.message : String(error) });
    }
  };
  const project = looks.project.kind === 'read' ? looks.project.project : undefined;
  if (project === undefined) {
    const why = looks.project.kind === 'none' ? 'there is no smesh.yaml here' : 'smesh.yaml has faults';
    missing.push({ what: 'containers, logs, status, events and local.sql', why });
  }
  await Promise.all([
    gather('versions', () => versions(context, looks)),
    gather('files of the project', () => projectFiles(context)),
    gather('what the journal says', () => journal(context)),
    ...(project === undefined
      ? []
      : [
          gather('containers', () => containers(looks, project)),
          gather('logs', () => logs(looks, project, options.logLines)),
          gather('status and events', () => status(context, looks, project)),
          gather('the shape of local.sql', () => shape(context, looks, project)),
        ]),
  ]);
  return { parts: parts.sort((a, b) => (a.path < b.path ? -1 : 1)), missing };
}

async function versions(context: Context, looks: SharedLooks): Promise<readonly ReportPart[]> {
  const [host, engine] = await Promise.all([context.ports.host().then((one) => one.facts()), looks.engine()]);
  const compose = await context.ports
    .compose()
    .then((one) => one.version())
    .then(({ text }) => text)
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const value = {
    smeshCompose: version,
    host,
    engine: engine.kind === 'usable' ? engine.facts : { fault: engine.error.message },
    compose,
  };
  return [
    { kind: 'value', path: 'versions.json', what: 'versions of tool, host, engine and Compose', value },
  ];
}

async function projectFiles({ directory, ports }: Context): Promise<readonly ReportPart[]> {
  const names = ['smesh.yaml', 'compose.yaml', ...COMPOSE_OVERRIDES, 'node/config.json'];
  const found = await Promise.all(
    names.map(async (name): Promise<readonly ReportPart[]> => {
      const path = `${directory}/${name}`;
      const facts = await ports.files.facts(path);
      if (facts?.kind !== 'file' || facts.size > LARGEST_FILE) return [];
      const text = await ports.files.readText(path);
      return [{ kind: 'file', path: `files/${name}`, what: `${name}, without its comments`, text }];
    }),
  );
  return found.flat();
}

async function journal(context: Context): Promise<readonly ReportPart[]> {
  const { ports, directory } = context;
  const names = async (folder: string) => {
    const entries = await ports.files.list(folder).catch(() => []);
    return entries.map(({ name }) => name).sort();
  };
  const interrupted = await readInterrupted(ports, directory).catch((error: unknown) => ({
    fault: error instanceof Error ? error.message : String(error),
  }));
  const state = stateFolder(directory);
  const value = {
    // Steps hold whole files: what kind of step and where is enough.
    interrupted:
      interrupted === undefined || 'fault' in interrupted
        ? (interrupted ?? null)
        : {
            command: interrupted.command,
            startedAt: interrupted.startedAt,
            steps: interrupted.steps.map((step) => ({
              kind: step.kind,
              ...('path' in step ? { path: step.path } : {}),
            })),
          },
    folders: {
      state: await names(state),
      journal: await names(`${state}/journal`),
      backups: await names(`${state}/backups`),
    },
  };
  return [
    { kind: 'value', path: 'journal.json', what: 'what a killed command left, names of backups', value },
  ];
}

async function containers(looks: SharedLooks, project: Project): Promise<readonly ReportPart[]> {
  const found = await looks.containers();
  if (found === undefined) throw new Error('the engine cannot be asked');
  // Facts of `docker inspect` as the tool reads them: no environment is among them.
  const value = ownContainers(found, project);
  return [
    { kind: 'value', path: 'containers.json', what: 'facts of docker inspect, without environments', value },
  ];
}

async function logs(looks: SharedLooks, project: Project, tail: number): Promise<readonly ReportPart[]> {
  const engine = await looks.engine();
  if (engine.kind === 'unusable') throw new Error('the engine cannot be asked');
  const queue = [...ownContainers(await looks.containers(), project)];
  const parts: ReportPart[] = [];
  const read = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const lines: LogLine[] = [];
      for await (const line of engine.docker.logs(next.id, { tail })) lines.push(line);
      const name = (next.service ?? next.name).replace(/[^\w.-]/g, '_').slice(0, 60);
      const twin = parts.some(({ path }) => path === `logs/${name}.log`) ? `-${next.id.slice(0, 6)}` : '';
      parts.push({ kind: 'log', path: `logs/${name}${twin}.log`, what: `last ${tail} lines of log`, lines });
    }
  };
  await Promise.all(Array.from({ length: LOGS_AT_ONCE }, read));
  return parts;
}

/** What touches a folder that hangs would keep this process from ending. */
async function refuseHanging(looks: SharedLooks): Promise<void> {
  const hanging = await looks.hanging();
  if (hanging.length > 0) throw new Error(`${several(hanging)} does not answer`);
}

async function status(
  context: Context,
  looks: SharedLooks,
  project: Project,
): Promise<readonly ReportPart[]> {
  await refuseHanging(looks);
  const observation = await observeProject(context.ports, project, context.clock);
  const report = buildReport({ directory: context.directory, project, observation });
  const answers = observation.node.answers;
  const events: readonly NodeEvent[] = answers?.events.ok === true ? answers.events.value : [];
  return [
    { kind: 'value', path: 'status.json', what: 'what status says', value: statusDocument(report, 0) },
    { kind: 'value', path: 'events.json', what: "the node's last events", value: events },
  ];
}

async function shape(context: Context, looks: SharedLooks, project: Project): Promise<readonly ReportPart[]> {
  await refuseHanging(looks);
  const database = await context.ports.databaseShape();
  const value = await database.shape(`${project.node.data}/local.sql`);
  return [
    { kind: 'value', path: 'local-sql.json', what: 'tables of local.sql and how many rows they have', value },
  ];
}
