import { CPU_PROVIDER } from '../../domain/compose/init-jobs.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { GpuReport } from '../../domain/gpu/report.ts';
import {
  amongListed,
  notAskedYet,
  PROCESSOR,
  type UsableCard,
  usableCards,
} from '../../domain/post-init/cards.ts';
import { cpuMilliseconds } from '../../domain/post-init/cpu-time.ts';
import type { Card } from '../../domain/post-init/plan-jobs.ts';
import type { GpuVendor, Project } from '../../domain/project/types.ts';
import { formatDuration, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { lookAtGpus } from '../gpu/look-at-gpus.ts';
import { refuseContradictions } from './card-flags.ts';
import type { PostInitOptions } from './options.ts';

export interface CardChoice {
  readonly gpu: GpuVendor;
  readonly cards: readonly [Card, ...Card[]];
  /** Every identity is dealt out to all of them. */
  readonly split: boolean;
}

interface Wanted {
  readonly identities: number;
  /** Of the largest of them. */
  readonly units: number;
}

/**
 * What computes the labels: as told, else what postcli is offered inside a container, by name (scenario S26). The processor
 * only with consent of its own: `--yes` is none. Refuses where a named card is not there (exit 3), where none is offered
 * (exit 4), and without consent (exit 5).
 */
export async function chooseCards(
  context: Context,
  project: Project,
  options: PostInitOptions,
  wanted: Wanted,
): Promise<CardChoice> {
  refuseContradictions(options);
  const bound = vendorInUse(project);
  const vendor = options.gpu ?? (onlyProcessor(options) ? 'cpu' : (bound ?? formerVendor(project)));
  if (bound !== undefined && vendor !== bound) throw otherVendor(project, vendor ?? 'cpu', bound);
  if (vendor === 'cpu') return processor(context, project, options, wanted);
  const named = options.devices.length + options.providers.length > 0;
  // All that jobs may have, where somebody wrote that down.
  const listed = vendor === project.initialisation?.gpu ? (project.initialisation?.devices ?? []) : [];
  if (options.noStart && vendor !== undefined)
    return decideSplit(context, options, wanted, vendor, asNamed(options, listed), named);
  const report = await lookAtGpus(context, vendor === undefined ? withoutVendor(project) : project, {
    everyCard: true,
    ...(vendor === undefined ? {} : { vendor }),
  });
  if (report.engine !== undefined && !options.noStart)
    throw new SmeshError(report.engine.code, ExitCode.environment, report.engine.message, {
      hint: report.engine.hint ?? 'Nothing was changed. Without Docker: --gpu VENDOR --no-start',
    });
  const usable = amongListed(
    usableCards(report, options.noStart).filter((card) => vendor === undefined || card.vendor === vendor),
    listed,
  );
  if (usable.length === 0) {
    if (vendor === undefined && canAsk(context)) return processor(context, project, options, wanted, report);
    throw noCard(report, vendor);
  }
  const chosen = named ? byName(options, usable) : await ask(context, usable, vendor);
  const [first] = chosen;
  if (first === undefined)
    throw new SmeshError('nothing-chosen', ExitCode.usage, 'No card was chosen. Nothing was changed.');
  const alike = chosen.filter((card) => card.vendor === first.vendor);
  if (notAskedYet(report, first.vendor))
    context.out.note(
      'The image of postcli is not here yet: what it is offered of the cards is seen when the job starts.',
    );
  return decideSplit(context, options, wanted, first.vendor, alike, named);
}

const canAsk = ({ out, yes }: Context) => out.interactive && !yes;
const onlyProcessor = ({ providers }: PostInitOptions) =>
  providers.length > 0 && providers.every((id) => id === CPU_PROVIDER);

/** All jobs of a project get the passthrough of one vendor. */
function vendorInUse({ initialisation }: Project): GpuVendor | undefined {
  return initialisation !== undefined && initialisation.jobs.length > 0 ? initialisation.gpu : undefined;
}

/** What the last jobs had, which are gone. That it was the processor says nothing of a card that is there now. */
function formerVendor({ initialisation }: Project): GpuVendor | undefined {
  return initialisation?.gpu === 'cpu' ? undefined : initialisation?.gpu;
}

function withoutVendor(project: Project): Project {
  const { initialisation: _, ...rest } = project;
  return rest;
}

function otherVendor({ initialisation }: Project, wanted: GpuVendor, bound: GpuVendor): SmeshError {
  return new SmeshError(
    'other-vendor',
    ExitCode.invalid,
    `smesh.yaml has ${plural(initialisation?.jobs.length ?? 0, 'job')} for ${bound}, and all jobs of a project have one kind of card; --gpu ${wanted} is another`,
    {
      hint: 'Nothing was changed. Let these end first: smesh-compose post status   Or use a project of its own: -C DIR',
    },
  );
}

async function processor(
  context: Context,
  { network }: Project,
  options: PostInitOptions,
  { units }: Wanted,
  report?: GpuReport,
): Promise<CardChoice> {
  const time = formatDuration(cpuMilliseconds(units, network.post));
  const choice: CardChoice = { gpu: 'cpu', cards: [PROCESSOR], split: false };
  // Without it keys would be made, and nothing started.
  if (!options.noStart && !options.dryRun) await (await context.ports.docker()).engine();
  if (options.cpu) {
    context.out.note(
      `On the processor it is about ${time} for ${plural(units, 'unit')}, on one of its cores.`,
    );
    return choice;
  }
  if (canAsk(context)) {
    const why = report === undefined ? [] : findingLines(report);
    const yes = await context.ports.prompt.confirm({
      message: `Compute on the processor, about ${time} for ${plural(units, 'unit')}?`,
      explanation: [...why, 'A graphics card is a thousand times as fast.'].join('\n'),
      flag: '--cpu',
      initial: false,
    });
    if (yes) return choice;
  }
  throw new SmeshError(
    'cpu-consent',
    ExitCode.refused,
    `On the processor ${plural(units, 'unit')} would take about ${time}; that needs consent of its own`,
    {
      hint: 'Nothing was changed. With a graphics card: smesh-compose gpu list   On the processor all the same: --gpu cpu --cpu',
    },
  );
}

/** As typed, where nobody looks whether it is there. */
function asNamed({ devices, providers }: PostInitOptions, listed: readonly string[]): readonly Card[] {
  const all = devices.length > 0 || providers.length > 0 ? devices : listed;
  if (all.length > 0) return all.map((device) => ({ label: `device ${device}`, device }));
  if (providers.length > 0) return providers.map((provider) => ({ label: `provider ${provider}`, provider }));
  return [{ label: 'the first card' }];
}

function byName(
  { devices, providers }: PostInitOptions,
  usable: readonly UsableCard[],
): readonly UsableCard[] {
  const missing = (what: string) =>
    new SmeshError(
      'no-such-card',
      ExitCode.invalid,
      `There is no ${what} among the cards that postcli is offered`,
      {
        details: usable.map(
          (card) =>
            `${card.label}: ${[...card.devices.map((word) => `--device ${word}`), ...(card.inside === undefined ? [] : [`--provider ${card.inside}`])].join(' or ')}`,
        ),
        hint: 'Nothing was changed. See them: smesh-compose gpu list',
      },
    );
  const byDevice = devices.map((device) => {
    const card = usable.find((one) => one.devices.includes(device));
    if (card === undefined) throw missing(`device ${device}`);
    return { ...card, device };
  });
  const byProvider = providers.map((provider) => {
    const card = usable.find(({ inside }) => inside === provider);
    if (card === undefined) throw missing(`provider ${provider}`);
    // All cards stay visible: that is what its number counts.
    const { device: _, ...rest } = card;
    return { ...rest, provider };
  });
  return [...byDevice, ...byProvider];
}

async function ask(
  context: Context,
  usable: readonly UsableCard[],
  vendor: GpuVendor | undefined,
): Promise<readonly UsableCard[]> {
  const [first] = usable;
  const alike = usable.filter((card) => card.vendor === first?.vendor);
  if (!canAsk(context) || usable.length === 1) {
    if (vendor === undefined && alike.length < usable.length)
      context.out.note(
        `Cards of several makers: ${alike.map(({ label }) => label).join(', ')}; others: --gpu VENDOR`,
      );
    return alike;
  }
  const chosen = await context.ports.prompt.multiselect({
    message: 'Which cards compute?',
    flag: '--device DEVICE',
    initial: alike.map((card) => String(usable.indexOf(card))),
    choices: usable.map((card, index) => ({
      value: String(index),
      label: card.label,
      hint: [card.vendor, ...card.devices.slice(0, 1)].join(' '),
    })),
  });
  const cards = usable.filter((_, index) => chosen.includes(String(index)));
  if (new Set(cards.map((card) => card.vendor)).size > 1)
    throw new SmeshError(
      'other-vendor',
      ExitCode.usage,
      'All jobs of a project have cards of one maker. Nothing was changed.',
      {
        hint: 'Choose those of one; the others can work in a project of their own.',
      },
    );
  return cards;
}

async function decideSplit(
  context: Context,
  { split }: PostInitOptions,
  { identities }: Wanted,
  gpu: GpuVendor,
  cards: readonly Card[],
  named: boolean,
): Promise<CardChoice> {
  const [first, ...others] = cards;
  if (first === undefined) throw new Error('no card');
  const all: readonly [Card, ...Card[]] = [first, ...others];
  if (others.length === 0) {
    if (split)
      throw new SmeshError(
        'bad-option',
        ExitCode.usage,
        'There is one card, and nothing to --split between. Nothing was changed.',
      );
    return { gpu, cards: all, split: false };
  }
  if (split || identities > 1) return { gpu, cards: all, split };
  if (canAsk(context)) {
    const yes = await context.ports.prompt.confirm({
      message: `Split it over the ${others.length + 1} cards?`,
      explanation:
        'Each computes a range of the files in a directory of its own; the parts are joined by renaming when all are complete.',
      flag: '--split',
      initial: true,
    });
    return yes ? { gpu, cards: all, split: true } : { gpu, cards: [first], split: false };
  }
  if (named)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      'One identity on several cards has to be split into ranges',
      {
        hint: 'Nothing was changed. Say so: --split   Or name one card.',
      },
    );
  context.out.note(`It is made on ${first.label} alone; on all ${others.length + 1} cards: --split`);
  return { gpu, cards: [first], split: false };
}

function findingLines({ findings }: GpuReport): readonly string[] {
  return findings
    .filter(({ severity }) => severity !== 'note')
    .flatMap(({ message, hint }) => [message, ...(hint === undefined ? [] : [`  → ${hint}`])]);
}

function noCard(report: GpuReport, vendor: GpuVendor | undefined): SmeshError {
  return new SmeshError(
    'no-gpu',
    ExitCode.environment,
    vendor === undefined
      ? 'postcli is offered no graphics card inside a container'
      : `postcli is offered no card of ${vendor} inside a container`,
    {
      details: findingLines(report),
      hint: 'Nothing was changed. What is there: smesh-compose gpu list   On the processor (months): --gpu cpu --cpu',
    },
  );
}
