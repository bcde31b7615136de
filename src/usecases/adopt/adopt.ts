import { type AdoptedIdentity, type Adoption, adoptProject } from '../../domain/adopt/adopt-project.ts';
import type { NotExpressible, NotTaken } from '../../domain/adopt/found.ts';
import { type MoveOver, planMove } from '../../domain/adopt/move-over.ts';
import { foundRole } from '../../domain/adopt/role.ts';
import { digestOf } from '../../domain/digest.ts';
import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import { formatDiagnostic, projectFault } from '../../domain/project/diagnostics.ts';
import { parseProject, requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { COMPOSE_OVERRIDES } from '../../ports/compose.ts';
import { adoptionToJson, renderAdoption, withoutPoetKey } from '../../ui/adopt.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { runJournaled } from '../journal.ts';
import { loadProjectIfPresent, PROJECT_FILE } from '../load-project.ts';
import { projectOwner } from '../owners.ts';
import { addToProject } from './add-to-project.ts';
import { chooseNode, type NodeOptions, nodeOfProject } from './choose-node.ts';
import { COMPOSE_FILES, findComposeFile } from './compose-source.ts';
import { type Gathered, gather } from './gather.ts';
import { lookAtData, readKeys, readNodePart, refuseSupervised, refuseTwice } from './read-facts.ts';

export interface AdoptOptions extends NodeOptions {
  /** Files, folders, containers, Compose projects; none: what is here. */
  readonly sources: readonly string[];
  readonly name?: string;
  readonly coinbase?: string;
  readonly dryRun: boolean;
}

/** What an adoption comes to, for people and for `--json`. */
export interface AdoptionReport {
  /** Absolute path of smesh.yaml. */
  readonly path: string;
  readonly text: string;
  /** What it says now. */
  readonly present?: string;
  readonly changed: boolean;
  readonly project: Project;
  readonly identities: readonly AdoptedIdentity[];
  readonly notExpressible: readonly NotExpressible[];
  readonly notTaken: readonly NotTaken[];
  readonly warnings: readonly string[];
  readonly move: MoveOver;
}

/**
 * Takes over what somebody else set up, into smesh.yaml and nothing else: no container, no key, no database is touched
 * (docs/guide/adopt.md). The caller holds the project's lock unless it is a dry run.
 */
export async function adopt(context: Context, options: AdoptOptions): Promise<ExitCode> {
  const report = await decide(context, options);
  if (options.dryRun || !report.changed) {
    show(context, report, options.dryRun);
    return ExitCode.ok;
  }
  if (!context.json) context.out.result(renderAdoption(report, { dryRun: false, written: false }));
  if (!context.yes && context.out.interactive) {
    const yes = await context.ports.prompt.confirm({
      message: `Write ${PROJECT_FILE}?`,
      flag: '--yes',
      initial: true,
    });
    if (!yes) throw cancelled('smesh-compose adopt');
  }
  await write(context, report);
  if (context.json)
    context.out.json({ schemaVersion: 1, dryRun: false, written: true, ...adoptionToJson(report) });
  else context.out.result(renderAdoption(report, { dryRun: false, written: true }));
  return ExitCode.ok;
}

function show(context: Context, report: AdoptionReport, dryRun: boolean): void {
  if (context.json) {
    context.out.json({ schemaVersion: 1, dryRun, written: false, ...adoptionToJson(report) });
    return;
  }
  context.out.result(renderAdoption(report, { dryRun, written: false }));
  if (dryRun && report.changed) context.out.verbatim(`\n${withoutPoetKey(report.text, report.project)}`);
}

async function decide(context: Context, options: AdoptOptions): Promise<AdoptionReport> {
  const present = await loadProjectIfPresent(context);
  const gathered = await gather(context, options.sources);
  refuseNothing(context, gathered);
  const own = present === undefined ? undefined : nodeOfProject(present, gathered, options);
  const choice = await chooseNode(gathered, options, own?.node);
  const reading =
    own?.reading ?? (await readNodePart(context, choice.node, options.coinbase ?? present?.project.coinbase));
  const looks = await Promise.all(
    choice.provers.map(async (prover) => {
      const { container, name } = prover.program;
      const said = gathered.ids.get(container?.name ?? name) ?? prover.program.smesherId;
      return { prover, look: await lookAtData(context, prover, said) };
    }),
  );
  refuseTwice(looks);
  const keys = await readKeys(context, reading.parts.node?.data ?? '');
  refuseSupervised(choice.node, keys);
  const adoption = adoptProject({
    directory: context.directory,
    source: gathered.source,
    node: choice.node,
    reading,
    provers: looks,
    keys,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(gathered.k2powSlots === undefined ? {} : { k2powSlots: gathered.k2powSlots }),
    ...(present === undefined ? {} : { taken: present.project }),
  });
  const beside = gathered.programs.filter(
    (program) => program !== choice.node && !choice.provers.some((prover) => prover.program === program),
  );
  const said = new Set(choice.notTaken.map(({ service }) => service));
  const notTaken: readonly NotTaken[] = [
    ...gathered.notTaken,
    ...choice.notTaken,
    ...adoption.notTaken,
    ...beside
      .filter(({ name }) => !said.has(name))
      .map(({ name }) => ({
        service: name,
        why: 'neither a node nor a post-service: it stays what it is; compose.override.yaml could have it',
      })),
  ];
  if (adoption.identities.length === 0) throw noIdentities(notTaken);
  const text = present === undefined ? adoption.text : addToProject(present, adoption);
  const project = checked(context, text, adoption);
  const inTheWay = await filesInTheWay(context);
  return {
    path: `${context.directory}/${PROJECT_FILE}`,
    text,
    ...(present === undefined ? {} : { present: present.text }),
    changed: text !== present?.text,
    project,
    identities: adoption.identities,
    notExpressible: [...gathered.left, ...adoption.notExpressible],
    notTaken,
    warnings: adoption.warnings,
    move: planMove({
      directory: context.directory,
      projectName: project.name,
      node: choice.node,
      identities: adoption.identities,
      schedulers: gathered.schedulers,
      inTheWay,
      formerFiles: gathered.composeFiles,
    }),
  };
}

function refuseNothing({ directory }: Context, { programs, notTaken }: Gathered): void {
  const isFound = programs.some((program) => ['node', 'prover'].includes(foundRole(program)));
  if (isFound || notTaken.length > 0) return;
  throw new SmeshError(
    'nothing-to-adopt',
    ExitCode.invalid,
    `Nothing was found to be taken over: no node and no post-service that somebody else made, in ${directory} or on the engine`,
    { hint: 'Nothing was changed. Name a Compose file, a container or the config of a scheduler.' },
  );
}

function noIdentities(notTaken: readonly NotTaken[]): SmeshError {
  return new SmeshError(
    'no-identities',
    ExitCode.invalid,
    'No post-service was found whose identity could be told',
    {
      details: notTaken.map(({ service, why }) => `${service}: ${why}`),
      hint: 'Nothing was changed.',
    },
  );
}

/** What was found may be against the rules of smesh.yaml: then it is said in their words, and nothing is written. */
function checked(context: Context, text: string, adoption: Adoption): Project {
  const result = parseProject(text, { directory: context.directory });
  if (result.ok) {
    for (const warning of result.warnings) context.out.warn(formatDiagnostic(warning));
    return requireProject(text, { directory: context.directory }).project;
  }
  const fault = projectFault(result.diagnostics);
  throw new SmeshError(
    'not-adoptable',
    ExitCode.invalid,
    `What was found cannot be said in ${PROJECT_FILE}: ${fault.message}`,
    {
      details: [...fault.details, ...adoption.warnings],
      hint: 'Nothing was changed. Put that right where it stands now, or begin with: smesh-compose init',
    },
  );
}

/** Hand-written files that `generate` would refuse to replace, or that Compose would read together with its own. */
async function filesInTheWay(context: Context): Promise<readonly string[]> {
  if ((await findComposeFile(context, context.directory)) === undefined) return [];
  const names = [...COMPOSE_FILES, ...COMPOSE_OVERRIDES, 'node/config.json'];
  const there = await Promise.all(
    names.map((name) => context.ports.files.exists(`${context.directory}/${name}`)),
  );
  return names.filter((_, index) => there[index]);
}

async function write(context: Context, report: AdoptionReport): Promise<void> {
  await backUpBefore(context, report.project, 'adopt');
  const owner = await projectOwner(context);
  await runJournaled(context.ports, {
    directory: context.directory,
    command: 'adopt',
    at: context.clock.now(),
    steps: [
      {
        kind: 'write-file',
        path: report.path,
        content: report.text,
        what: 'yours to edit',
        replaces: report.present === undefined ? null : digestOf(report.present),
        ...owner,
      },
    ],
    ...(owner === undefined ? {} : { owner }),
  });
}
