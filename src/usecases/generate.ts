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
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import type { Project } from '../domain/project/types.ts';
import { renderDiff } from '../ui/diff.ts';
import { version } from '../version.ts';
import type { Context } from './context.ts';
import { gpuGroups, readGpuFragment } from './gpu-inputs.ts';
import { stateFolder } from './journal.ts';
import { PROJECT_FILE } from './load-project.ts';
import { identitiesFolder, planNodeKeys } from './node-keys.ts';
import { jobOwners, nodeOwner, postOwners } from './owners.ts';

export interface GenerateRequest {
  readonly project: Project;
  /** New text of smesh.yaml, when the command changes it. */
  readonly text?: string;
  readonly keyPlaces: readonly string[];
  readonly repairKeys: boolean;
  /** Overwrite generated files that a person changed; what they held is kept in `.smesh/backups`. */
  readonly force: boolean;
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
}

/**
 * What has to change so that folder, keys and generated files follow from the model (design §4, §5). Reads only; throws
 * where a person's edit would be lost, a key is missing or the node would not start.
 */
export async function planGenerate(context: Context, request: GenerateRequest): Promise<GeneratePlan> {
  const { project } = request;
  const owner = await nodeOwner(context, project);
  const keys = await planNodeKeys(context, { ...request, repair: request.repairKeys, owner });
  const generated = await generate(context, project, owner);
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
  return {
    owner,
    notes: keys.notes,
    outdated: outdated.map(({ path, file, present, state }) => ({
      path,
      state,
      diff: renderDiff(path, present ?? '', file.content),
    })),
    steps: [
      ...(await folderSteps(context, project, owner)),
      ...movingFolder(context, keys.steps),
      ...keys.steps,
      ...(await projectFileStep(context, request.text)),
      ...outdated.map(({ file, present, state }) =>
        writeStep(context, file, state === 'absent' || state === 'untouched' ? undefined : present),
      ),
    ],
  };
}

async function generate(context: Context, project: Project, owner: Owner): Promise<readonly GeneratedFile[]> {
  const templates = await context.ports.templates();
  const rendered = await Promise.all(
    templateRequests(project).map(
      async ({ template, values }) => [template, await templates.render(template, values)] as const,
    ),
  );
  const compose = await context.ports.files.readTextIfPresent(`${context.directory}/${COMPOSE_PATH}`);
  const vendor = fragmentFor(project);
  return generatedFiles(project, {
    directory: context.directory,
    toolVersion: version,
    nodeOwner: owner,
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
      hint: 'Nothing was changed. Say it in smesh.yaml or in compose.override.yaml instead, then overwrite the file (a copy is kept in .smesh/backups): --force',
    },
  );
}

/** The node's folders exist, and belong to whom it runs as, before its first start: Docker would make them as root. */
async function folderSteps(context: Context, project: Project, owner: Owner): Promise<readonly FileStep[]> {
  const folders = [project.node.data, identitiesFolder(project)];
  const missing = await Promise.all(
    folders.map(async (path) => ((await context.ports.files.exists(path)) ? undefined : path)),
  );
  return missing
    .filter((path) => path !== undefined)
    .map((path) => ({ kind: 'make-directory', path, mode: 0o700, ...owner }));
}

/** Keys that leave the node go into a folder that only its owner may enter. */
function movingFolder(context: Context, steps: readonly FileStep[]): readonly FileStep[] {
  const retired = `${stateFolder(context.directory)}/retired`;
  const moves = steps.some((step) => step.kind === 'move-key' && step.to.startsWith(`${retired}/`));
  return moves ? [{ kind: 'make-directory', path: retired, mode: 0o700 }] : [];
}

async function projectFileStep(context: Context, text: string | undefined): Promise<readonly FileStep[]> {
  if (text === undefined) return [];
  const path = `${context.directory}/${PROJECT_FILE}`;
  const present = await context.ports.files.readTextIfPresent(path);
  return present === text ? [] : [{ kind: 'write-file', path, content: text, what: 'yours to edit' }];
}

function writeStep(context: Context, file: GeneratedFile, edited: string | undefined): FileStep {
  const stamp = new Date(context.clock.now()).toISOString().replace(/[:.]/g, '-');
  return {
    kind: 'write-file',
    path: `${context.directory}/${file.path}`,
    content: file.content,
    what: 'generated from smesh.yaml',
    mode: file.mode,
    ...(edited === undefined
      ? {}
      : { backup: `${stateFolder(context.directory)}/backups/${stamp}-${file.path.replaceAll('/', '-')}` }),
  };
}
