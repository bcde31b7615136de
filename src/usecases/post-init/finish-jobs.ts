import { ExitCode, type SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import { jobFiles } from '../../domain/post-init/job-files.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import { decideJoin } from '../../domain/post-init/join.ts';
import { addJobs, removeJobs } from '../../domain/project/edit-jobs.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { extendProject } from '../init/extend-project.ts';
import { loadProject } from '../load-project.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { warnOfOverride } from '../warn-of-override.ts';
import { lookAtJobs } from './look-at-jobs.ts';
import { findAtWork } from './open-folders.ts';
import { PartsUnfit, readParts } from './read-parts.ts';
import { removeFormerJobs } from './remove-former-jobs.ts';

export interface FinishedIdentity {
  readonly id: SmesherId;
  readonly name: string;
  /** The directory with the whole set. */
  readonly data: string;
}

/**
 * For each identity of the project whose jobs are all complete, and whose containers have ended: joins its parts (with the
 * smallest VRF nonce) in one journaled plan, in which a single job for the whole takes their place in smesh.yaml. Answers
 * those whose data is whole now, nonce included. Does nothing for the others; twice is as once. The caller holds the
 * project's lock, and reads smesh.yaml anew afterwards. Throws where parts that are complete cannot be joined (exit 3, 5);
 * nothing of them is moved then.
 *
 * @param refused is told of such parts instead, and the others are joined all the same
 */
export async function joinComplete(
  context: Context,
  project: Project,
  refused?: (id: SmesherId, error: SmeshError) => void,
): Promise<readonly FinishedIdentity[]> {
  const wanted = new Set((project.initialisation?.jobs ?? []).map(({ id }) => id));
  const { project: now } = await loadProject(context);
  const looks = (await lookAtJobs(context, now)).filter(({ job }) => wanted.has(job.id));
  const finished: FinishedIdentity[] = [];
  for (const id of new Set(looks.map(({ job }) => job.id))) {
    const ofOne = looks.filter(({ job }) => job.id === id);
    if (!ofOne.every(isComplete) || (await isWritten(context, ofOne))) continue;
    const job = ofOne[0]?.job;
    if (job === undefined) continue;
    const whole = { id, name: nameOf(job), data: job.into ?? job.data };
    if (job.into === undefined) {
      if (jobFiles(job, now.network).whole) finished.push(whole);
      continue;
    }
    const parts = ofOne.map(({ job: part }) => part);
    try {
      if (await joinParts(context, parts, job.into)) finished.push(whole);
    } catch (error) {
      if (refused === undefined || !(error instanceof PartsUnfit)) throw error;
      refused(id, error);
    }
  }
  return finished;
}

function isComplete({ state }: JobLook): boolean {
  return state.kind === 'complete';
}

function nameOf({ identity, name }: InitialisationJob): string {
  return identity ?? name.replace(/-init(-\d+)?$/, '');
}

async function isWritten({ ports }: Context, looks: readonly JobLook[]): Promise<boolean> {
  const containers = await (await ports.docker()).containers();
  const jobs = looks.map(({ job }) => job);
  return (await findAtWork(ports.files, containers, jobs)) !== undefined;
}

/** Answers whether the whole has its VRF nonce. */
async function joinParts(
  context: Context,
  jobs: readonly InitialisationJob[],
  into: string,
): Promise<boolean> {
  const { text, project } = await loadProject(context);
  const [first] = jobs;
  if (first === undefined || project.initialisation === undefined) return false;
  const name = nameOf(first);
  const decision = decideJoin(await readParts(context.ports.files, name, jobs, into));
  if (decision.kind === 'refused')
    throw new PartsUnfit(decision.code, ExitCode.refused, decision.message, { hint: decision.hint });
  refuseForeignParts(context, decision.steps);
  const { into: _, fromFile: __, toFile: ___, ...rest } = first;
  const whole: InitialisationJob = { ...rest, name: `${name}-init`, data: into };
  const names = jobs.map((job) => job.name);
  const edited = removeJobs(addJobs(text, { gpu: project.initialisation.gpu }, [whole]), names);
  const plan = await planGenerate(context, {
    project: requireProject(edited, { directory: context.directory }).project,
    text: edited,
    keyPlaces: [],
    repairKeys: false,
    force: false,
  });
  await applyGenerate(context, 'post init', { ...plan, steps: [...decision.steps, ...plan.steps] });
  await warnOfOverride(context, names);
  const { nonce } = decision.metadata;
  context.out.note(
    nonce === undefined
      ? `${name}: ${jobs.length} parts joined in ${into}. No part found a VRF nonce, which is rare and no loss: smesh-compose post verify ${name} --search-nonce`
      : `${name}: ${jobs.length} parts joined in ${into}; VRF nonce ${nonce}, the smallest of them.`,
  );
  return nonce !== undefined;
}

/** Found out half-way it would leave a set in two places. */
function refuseForeignParts({ ports }: Context, steps: readonly FileStep[]): void {
  const { uid } = ports.system.user;
  const owners = steps.flatMap((step) => ('uid' in step && typeof step.uid === 'number' ? [step.uid] : []));
  const foreign = owners.find((owner) => owner !== uid);
  if (uid === 0 || foreign === undefined) return;
  throw new PartsUnfit(
    'foreign-owner',
    ExitCode.environment,
    `The parts belong to user ${foreign}; you are user ${uid} and cannot join them`,
    { hint: 'Nothing was moved. Run it as that user, or with sudo: sudo smesh-compose post init' },
  );
}

/**
 * Takes identities with whole data into the project: their entry under `identities`, their key under the name that the node
 * reads, their jobs out of `init.jobs`; one journaled plan, after a backup. It takes the project's lock itself. What `add`
 * refuses is refused here: data that is not whole, an identity that stands elsewhere. Answers the exit code.
 */
export function takeIn(
  context: Context,
  finished: readonly FinishedIdentity[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  if (finished.length === 0) return Promise.resolve(ExitCode.ok);
  return lockedUnlessDry(context, 'post init', dryRun, async () => {
    const code = await extendProject({ ...context, yes: true }, 'add', await loadProject(context), {
      roots: finished.map(({ data }) => data),
      keys: [],
      ignore: [],
      repairKeys: false,
      dryRun,
      force: false,
    });
    if (!dryRun && code === ExitCode.ok) await removeFormerJobs(context);
    return code;
  });
}
