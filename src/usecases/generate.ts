import { dirname } from 'node:path';
import { previousUsers } from '../domain/compose/build.ts';
import { COMPOSE_PATH, fragmentFor, generatedFiles, templateRequests } from '../domain/compose/generate.ts';
import {
  type FileDigests,
  type FileOwnershipState,
  fileState,
  isCurrent,
  readFileDigests,
} from '../domain/compose/ownership.ts';
import type { GeneratedFile, Owner } from '../domain/compose/types.ts';
import { digestOf } from '../domain/digest.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { Finding } from '../domain/plan/findings.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import type { Project } from '../domain/project/types.ts';
import { renderDiff } from '../ui/diff.ts';
import { version } from '../version.ts';
import { refuseForeignData } from './check-data-ids.ts';
import type { Context } from './context.ts';
import { gpuGroups, readGpuFragment } from './gpu-inputs.ts';
import { backupPath, stateFolder } from './journal.ts';
import { planLeases } from './leases/plan-leases.ts';
import { PROJECT_FILE } from './load-project.ts';
import { identitiesFolder, planNodeKeys } from './node-keys.ts';
import { findEngineGroup, folderOwner, jobOwners, nodeOwner, postOwners, projectOwner } from './owners.ts';

export interface GenerateRequest {
  readonly project: Project;
  /** New text of smesh.yaml, when the command changes it. */
  readonly text?: string;
  readonly keyPlaces: readonly string[];
  readonly repairKeys: boolean;
  /** Overwrite generated files that a person changed; what they held is kept in `.smesh/backups`. */
  readonly force: boolean;
  /** Keys that other steps of the same act bring in (by file name) or take out: `merge`. */
  readonly arriving?: ReadonlyMap<SmesherId, string>;
  readonly departing?: ReadonlySet<SmesherId>;
}

export interface GeneratePlan {
  readonly steps: readonly FileStep[];
  /** Generated files that do not say what smesh.yaml says, with the difference. */
  readonly outdated: readonly {
    readonly path: string;
    readonly diff: string;
    readonly state: FileOwnershipState | 'absent';
  }[];
  readonly notes: readonly string[];
  readonly owner: Owner;
  /** Keys that come with a lease of another place: installed they may be, started not. */
  readonly leaseFindings: readonly Finding[];
  /** All that the node will register once the steps are done. */
  readonly installedIds: readonly SmesherId[];
}

/**
 * What has to change so that folder, keys and generated files follow from the model (design §4, §5). Reads only; throws
 * where a person's edit would be lost, a key is missing or the node would not start.
 */
export async function planGenerate(context: Context, request: GenerateRequest): Promise<GeneratePlan> {
  const { project } = request;
  await refuseForeignData(context, project, request.text);
  const owner = await nodeOwner(context, project);
  const keys = await planNodeKeys(context, { ...request, repair: request.repairKeys, owner });
  const leases = await planLeases(context, project, owner, keys);
  const generated = await generate(context, project, owner, keys.installedAfter);
  const files = await Promise.all(generated.map((file) => compareFile(context, file)));
  const digests = await presentDigests(context);
  const outdated = files
    .filter(({ current }) => !current)
    .map(({ file, present }) => ({
      path: file.path,
      file,
      present,
      state: present === undefined ? ('absent' as const) : fileState(file.path, present, digests),
    }));
  if (!request.force) refuseEdited(outdated);
  const fileSteps = [
    ...(await projectFileStep(context, request.text)),
    ...outdated.map(({ file, present, state }) =>
      writeStep(context, file, { present, edited: state === 'edited' || state === 'foreign' }),
    ),
  ];
  return {
    owner,
    installedIds: keys.installedAfter,
    notes: [...keys.notes, ...leases.notes],
    leaseFindings: leases.findings,
    outdated: outdated.map(({ path, file, present, state }) => ({
      path,
      state,
      diff: renderDiff(path, present ?? '', file.content),
    })),
    steps: [
      ...(await folderSteps(context, {
        project,
        owner,
        steps: [...keys.steps, ...leases.steps, ...fileSteps],
      })),
      ...keys.steps,
      ...leases.steps,
      ...(await ownedByProject(context, fileSteps)),
    ],
  };
}

async function generate(
  context: Context,
  project: Project,
  owner: Owner,
  installedIds: readonly SmesherId[],
): Promise<readonly GeneratedFile[]> {
  const templates = await context.ports.templates();
  const projectOwner = await folderOwner(context);
  const inputs = {
    directory: context.directory,
    toolVersion: version,
    ...(projectOwner === undefined ? {} : { projectOwner }),
  };
  const engineGroup = project.schedule.orchestrator ? await findEngineGroup(context) : undefined;
  const rendered = await Promise.all(
    templateRequests(project, inputs).map(
      async ({ template, values }) => [template, await templates.render(template, values)] as const,
    ),
  );
  const compose = await context.ports.files.readTextIfPresent(`${context.directory}/${COMPOSE_PATH}`);
  const vendor = fragmentFor(project);
  return generatedFiles(project, {
    ...inputs,
    ...(engineGroup === undefined ? {} : { engineGroup }),
    nodeOwner: owner,
    installedIds,
    postOwners: await postOwners(context, project),
    jobOwners: await jobOwners(context, project),
    rendered: new Map(rendered),
    ...(compose === undefined ? {} : { previousUsers: previousUsers(compose) }),
    ...(vendor === undefined
      ? {}
      : { gpuFragment: await readGpuFragment(context, vendor), gpuGroups: await gpuGroups(context, vendor) }),
  });
}

async function compareFile(
  context: Context,
  file: GeneratedFile,
): Promise<{ file: GeneratedFile; present: string | undefined; current: boolean }> {
  const present = await context.ports.files.readTextIfPresent(`${context.directory}/${file.path}`);
  return { file, present, current: present !== undefined && isCurrent(file.path, present, file.content) };
}

async function presentDigests(context: Context): Promise<FileDigests> {
  return readFileDigests(await context.ports.files.readTextIfPresent(`${context.directory}/${COMPOSE_PATH}`));
}

function refuseEdited(
  outdated: readonly {
    path: string;
    present: string | undefined;
    state: FileOwnershipState | 'absent';
    file: GeneratedFile;
  }[],
): void {
  const inTheWay = outdated.filter(({ state }) => state === 'edited' || state === 'foreign');
  const [first] = inTheWay;
  if (first === undefined) return;
  const foreign = inTheWay.every(({ state }) => state === 'foreign');
  throw new SmeshError(
    foreign ? 'foreign-file' : 'edited-file',
    ExitCode.refused,
    foreign
      ? `${inTheWay.map(({ path }) => path).join(', ')} ${inTheWay.length === 1 ? 'is' : 'are'} not of smesh-compose's making, and would be overwritten`
      : `${inTheWay.map(({ path }) => path).join(', ')} ${inTheWay.length === 1 ? 'was' : 'were'} changed by hand since smesh-compose wrote ${inTheWay.length === 1 ? 'it' : 'them'}`,
    {
      details: inTheWay.flatMap(({ path, present, file }) =>
        renderDiff(path, present ?? '', file.content).split('\n'),
      ),
      hint: foreign
        ? 'Nothing was changed. If they are of another project, use a folder of its own: -C DIR   Or let them be replaced (copies are kept in .smesh/backups): --force'
        : 'Nothing was changed. Say it in smesh.yaml or in compose.override.yaml instead, then overwrite the file (a copy is kept in .smesh/backups): --force',
    },
  );
}

/**
 * Every folder that the steps need, outermost first. The node's belong to whom it runs as, before its first start: Docker
 * would make them as root. Each missing parent is a step of its own: a kill between making and owning it is made good.
 */
async function folderSteps(
  context: Context,
  request: { readonly project: Project; readonly owner: Owner; readonly steps: readonly FileStep[] },
): Promise<readonly FileStep[]> {
  const { project, owner, steps } = request;
  const { directory } = context;
  const inside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
  const needed = [
    project.node.data,
    identitiesFolder(project),
    ...steps.flatMap((step) => {
      if (step.kind === 'move-key') return [dirname(step.to)];
      if (step.kind === 'write-lease') return [dirname(step.path)];
      if (step.kind !== 'write-file') return [];
      return [dirname(step.path), ...(step.backup === undefined ? [] : [dirname(step.backup)])];
    }),
  ];
  const missing = new Set<string>();
  for (const path of needed) {
    const chain: string[] = [];
    for (let place = path; !missing.has(place) && !(await context.ports.files.exists(place)); ) {
      chain.unshift(place);
      place = dirname(place);
    }
    for (const place of chain) missing.add(place);
  }
  const ofProject = (await projectOwner(context)) ?? {};
  return [...missing].map((path): FileStep => {
    if (inside(path, project.node.data)) return { kind: 'make-directory', path, mode: 0o700, ...owner };
    if (inside(path, stateFolder(directory)))
      return { kind: 'make-directory', path, mode: 0o700, ...ofProject };
    return { kind: 'make-directory', path, mode: 0o755, ...(inside(path, directory) ? ofProject : owner) };
  });
}

/** A file that is there keeps its owner; a new one belongs to whom the project belongs to. */
async function ownedByProject(context: Context, steps: readonly FileStep[]): Promise<readonly FileStep[]> {
  const owner = await projectOwner(context);
  if (owner === undefined) return steps;
  return steps.map((step) =>
    step.kind === 'write-file' && step.replaces === null ? { ...step, ...owner } : step,
  );
}

async function projectFileStep(context: Context, text: string | undefined): Promise<readonly FileStep[]> {
  if (text === undefined) return [];
  const path = `${context.directory}/${PROJECT_FILE}`;
  const present = await context.ports.files.readTextIfPresent(path);
  if (present === text) return [];
  return [{ kind: 'write-file', path, content: text, what: 'yours to edit', replaces: replaced(present) }];
}

function replaced(present: string | undefined): string | null {
  return present === undefined ? null : digestOf(present);
}

function writeStep(
  context: Context,
  file: GeneratedFile,
  { present, edited }: { readonly present: string | undefined; readonly edited: boolean },
): FileStep {
  return {
    kind: 'write-file',
    path: `${context.directory}/${file.path}`,
    content: file.content,
    what: 'generated from smesh.yaml',
    mode: file.mode,
    replaces: replaced(present),
    ...(edited
      ? {
          backup: backupPath(context.directory, new Date(context.clock.now()).toISOString(), file.path),
        }
      : {}),
  };
}
