import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import { addIdentities } from '../../domain/project/edit.ts';
import { removeJobs } from '../../domain/project/edit-jobs.ts';
import type { Identity } from '../../domain/project/types.ts';
import { renderScan } from '../../ui/scan.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import type { LoadedProject } from '../load-project.ts';
import { identitiesFolder } from '../node-keys.ts';
import { warnOfOverride } from '../warn-of-override.ts';
import { type Candidates, chooseCandidates, findCandidates, refuseDuplicates } from './choose-directories.ts';
import { findHistoryOfChosen, foreignHistoryError } from './foreign-history.ts';
import { chosenNames, headlessCommand } from './headless.ts';
import { jobsOfChosen, refuseJobsAtWork, refuseServedElsewhere } from './jobs-of-chosen.ts';
import { nameIdentities } from './name-identities.ts';
import { fromWorkingDirectory, type InitOptions } from './options.ts';
import { othersToJson, reportOthers, scanFor, servedDirectories, servedUnderOtherNames } from './session.ts';
import { writeProject } from './write-project.ts';

/**
 * `init` in a directory that has a project, and `add`: looks for identities that are not yet in it, adds those chosen,
 * and touches nothing else (scenario S17). What generated files lack is brought up to date on the way.
 */
export async function extendProject(
  context: Context,
  command: 'init' | 'add',
  { project, text }: LoadedProject,
  options: InitOptions,
): Promise<number> {
  context.out.note(
    `smesh-compose ${command} · ${project.network.name} · project in ${context.directory}, ${plural(project.identities.length, 'identity', 'identities')} so far\n`,
  );
  const served = await servedDirectories(context, project.identities);
  const roots = options.roots ?? defaultRoots(project.identities.map(({ data }) => data));
  const report = await scanFor(
    context,
    options,
    roots,
    [identitiesFolder(project)],
    options.roots === undefined,
  );
  refuseDuplicates(report, served, await servedUnderOtherNames(context, report, served));
  const candidates = findCandidates(report, project.network, {
    repairKeys: options.repairKeys,
    known: new Set(served.keys()),
  });
  if (candidates.usable.length === 0) {
    const present = project.identities.filter(({ id }) =>
      report.directories.some(({ metadata }) => metadata?.smesherId === id),
    );
    return nothingNew(context, command, {
      text,
      options,
      roots,
      others: candidates.others,
      skipped: report.skipped,
      present,
    });
  }
  if (context.out.interactive) {
    context.out.note(`${renderScan(report, { columns: context.out.columns, color: context.out.color })}\n`);
  }
  reportOthers(context, candidates.others, report.skipped);
  const chosen = await chooseCandidates(context, candidates, {
    only: options.only,
    resolvePath: fromWorkingDirectory,
  });
  const histories = await findHistoryOfChosen(context, chosen, report, project.node.data);
  if (histories.length > 0) throw foreignHistoryError(histories);
  const jobs = jobsOfChosen(project, chosen);
  await refuseJobsAtWork(context, jobs);
  await refuseServedElsewhere(context, project, chosen);
  const identities = await nameIdentities(context, options, project, chosen);
  const { written, exitCode } = await writeProject(context, {
    command,
    text: addIdentities(
      removeJobs(
        text,
        jobs.map(({ name }) => name),
      ),
      identities,
    ),
    ...(jobs.length === 0 ? {} : { before: () => backUpBefore(context, project, 'keys') }),
    options,
    keyFiles: chosen.map(({ key }) => key.path),
    added: identities.map(({ name }) => name),
    facts: {
      added: identities.map(({ id, name, data }) => ({ id, name, data })),
      notTaken: othersToJson(candidates.others),
    },
  });
  const gone = jobs.map(({ name }) => name);
  if (written) await warnOfOverride(context, gone);
  if (written && !context.json) {
    const names = enumerate(identities.map(({ name }) => name));
    context.out.result(`Added ${names}. The node reads new keys only when it starts. Next: smesh-compose up`);
    const same = headlessCommand(context, command, [
      ['--data', chosen.map(({ directory }) => directory.path)],
      ['--service-names', chosenNames(project, identities)],
      ['--keys', options.keys],
      ['--ignore', options.ignore],
      ['--repair-keys', options.repairKeys ? true : undefined],
    ]);
    if (context.out.interactive) context.out.note(`The same without questions:\n  ${same}`);
  }
  return exitCode;
}

/**
 * Beside the data that is there already, and below the folder that holds all of it: with /mnt/d1/a and /mnt/d2/b that is
 * /mnt, where /mnt/d3 may be new. The scanner adds whatever else is mounted.
 */
function defaultRoots(directories: readonly string[]): readonly string[] {
  const parents = [...new Set(directories.map((data) => dirname(data)))];
  const [first, ...others] = parents;
  let common = first ?? '/';
  while (common !== '/' && others.some((parent) => parent !== common && !parent.startsWith(`${common}/`)))
    common = dirname(common);
  // The root of the file system holds the system, too.
  return common === '/' ? parents : [common];
}

/** Nothing to add: what generated files lack is still brought up to date. Asking twice for the same is no fault. */
async function nothingNew(
  context: Context,
  command: 'init' | 'add',
  found: {
    readonly text: string;
    readonly options: InitOptions;
    readonly roots: readonly string[];
    readonly others: Candidates['others'];
    readonly skipped: ScanReport['skipped'];
    /** Identities of the project that were met on the way. */
    readonly present: readonly Identity[];
  },
): Promise<number> {
  const { text, options, roots, others, skipped, present } = found;
  const asked = options.only !== undefined || options.roots !== undefined;
  if (command === 'add' && asked && (present.length === 0 || others.length > 0)) {
    const details = others.map(({ directory, why }) => `${directory.path}: ${why}. ${directory.next}`);
    throw new SmeshError('no-identities', ExitCode.invalid, `Nothing to add under ${roots.join(', ')}`, {
      details,
      hint: 'Nothing was changed. See what is there: smesh-compose scan',
    });
  }
  const { exitCode, written } = await writeProject(context, {
    command,
    text,
    options,
    keyFiles: [],
    facts: { added: [], notTaken: othersToJson(others) },
  });
  if (!context.json) {
    const names = present.map(({ name }) => name);
    context.out.result(
      command === 'add' && asked
        ? `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} in the project already.`
        : 'No new identity was found.',
    );
    reportOthers(context, others, skipped);
  }
  if (!written && !context.json && !options.dryRun) context.out.note('Nothing was changed.');
  return exitCode;
}
