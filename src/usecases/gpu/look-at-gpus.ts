import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { detectCards, shownCard } from '../../domain/gpu/detect.ts';
import { explainCards } from '../../domain/gpu/findings.ts';
import { cardGroups } from '../../domain/gpu/groups.ts';
import { joinCards, type SeenProvider, shownJoin } from '../../domain/gpu/join.ts';
import { type EngineOfCards, type GpuSituation, isChosen, type VendorLook } from '../../domain/gpu/judged.ts';
import type { GpuReport } from '../../domain/gpu/report.ts';
import { DEFAULT_IMAGES } from '../../domain/node/images.ts';
import type { GpuVendor, InitialisationSettings, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { jobOwners, nodeOwner } from '../owners.ts';
import { jobEnvironment } from './job-environment.ts';
import { lookInside } from './look-inside.ts';

export interface LookOptions {
  /** Whose cards to look for inside, whatever the project says (`post init --gpu`). */
  readonly vendor?: GpuVendor;
  /** All cards of the vendor, also those that `init.devices` leaves out. */
  readonly everyCard?: true;
}

/**
 * The host's graphics cards, and what postcli offers inside a container with the passthrough of a job. Changes nothing;
 * never rejects for a wrong set-up, which is a finding. Pulls and builds no image: one that is not here is named.
 *
 * @param project its `init.image`, `gpu` and `devices`; without one the defaults
 */
export async function lookAtGpus(
  context: Context,
  project?: Project,
  options: LookOptions = {},
): Promise<GpuReport> {
  const facts = await (await context.ports.gpu()).facts();
  const cards = detectCards(facts);
  const settings = project?.initialisation;
  const found = [...new Set(cards.map(({ vendor }) => vendor))];
  const chosen = options.vendor ?? settings?.gpu;
  const wanted = chosen !== undefined ? [chosen] : found.length > 0 ? found : ['cpu' as const];
  const devices = options.everyCard !== true && chosen === settings?.gpu ? namedDevices(settings) : [];
  const image = settings?.image ?? DEFAULT_IMAGES.initialisation;
  const engine = await askEngine(context);
  const user = project === undefined ? callerOf(context) : await jobUser(context, project);
  const environment =
    project === undefined || 'problem' in engine ? {} : await jobEnvironment(context, project);
  const looks =
    'problem' in engine
      ? []
      : await Promise.all(
          wanted.map((vendor) =>
            lookInside(context, { image, gpu: vendor, devices, jobs: [] }, user, environment),
          ),
        );
  const seen = looks.flatMap(({ vendor, look }: VendorLook): SeenProvider[] =>
    look.kind === 'asked' ? look.providers.map((provider) => ({ askedFor: vendor, provider })) : [],
  );
  const joined = joinCards(cards, seen, (card) => isChosen(card, { wanted, devices }));
  const situation: GpuSituation = {
    facts,
    cards,
    wanted,
    saidBy: options.vendor === undefined || options.vendor === settings?.gpu ? 'init.gpu' : '--gpu',
    devices,
    user,
    groups: [...new Set(wanted.flatMap((vendor) => cardGroups(vendor, facts.groups)))],
    hasProject: project !== undefined,
    ...('problem' in engine ? {} : { engine: engine.facts }),
    looks,
    joined,
  };
  return {
    cards: cards.map(shownCard),
    looks: looks.map(({ look }) => look),
    joined: joined.map(shownJoin),
    findings: explainCards(situation),
    ...('problem' in engine ? { engine: engine.problem } : {}),
  };
}

function callerOf({ ports: { system } }: Context): { readonly uid: number; readonly gid: number } {
  return system.sudoUser ?? system.user;
}

/** Whom jobs run as: as an entry says, else as the owner of its directory; while there is no job as the node. */
async function jobUser(
  context: Context,
  project: Project,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const written = project.initialisation?.jobs.find(({ user }) => user !== undefined)?.user;
  const [uid, gid] = (written ?? '').split(':').map(Number);
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  const [owner] = (await jobOwners(context, project)).values();
  return owner ?? nodeOwner(context, project);
}

/** All that the jobs name between them. */
function namedDevices(settings: InitialisationSettings | undefined): readonly string[] {
  if (settings === undefined) return [];
  const own = settings.jobs.flatMap(({ device }) => (device === undefined ? [] : [device]));
  // A job without a card of its own and no list: it gets all.
  const all = settings.devices.length === 0 && settings.jobs.some(({ device }) => device === undefined);
  return all ? [] : [...new Set([...settings.devices, ...own])];
}

type EngineAnswer =
  | { readonly facts: EngineOfCards }
  | { readonly problem: NonNullable<GpuReport['engine']> };

/** An engine that does not answer must not hide what the host says. */
async function askEngine(context: Context): Promise<EngineAnswer> {
  try {
    const docker = await context.ports.docker();
    return { facts: { ...(await docker.engine()), endpoint: docker.endpoint } };
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment) throw error;
    const { code, message, hint } = error;
    return { problem: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}
