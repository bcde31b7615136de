import type { NodeEvent } from '../node/events.ts';
import { type Check, checksOf } from './check.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';
import { digits, FIRST_PAID_EPOCH, type Journey, plural, utc } from './journey.ts';
import { weightOf } from './weight.ts';

/** One layer without a block happens; so many eligible ones in a row do not. */
const UNPAID_LAYERS = 3;

/** What the present epoch pays: standing, the ATX it rests on, eligible layers, rewards. */
export function checkRewards(
  identity: IdentityEvidence,
  project: ProjectEvidence,
  journey: Journey,
): readonly Check[] {
  return [
    checkStanding(identity, journey),
    checkAtx(identity, project, journey),
    checkEligibility(identity, project, journey),
    checkPaid(identity, project, journey),
  ];
}

/** Numbering of the node's malfeasance domain. */
const OFFENCES: Readonly<Record<number, string>> = {
  1: 'two ATXs in one epoch',
  2: 'two ballots in one layer',
  3: 'two Hare messages in one round',
  4: 'an invalid PoST',
  5: 'an ATX with a wrong predecessor',
};

function checkStanding({ malfeasance }: IdentityEvidence, { cancelled, events }: Journey): Check {
  const check = checksOf('standing');
  if (cancelled === 'yes') {
    const proof =
      malfeasance.kind === 'known' && malfeasance.value !== 'none' ? malfeasance.value : undefined;
    const event = events.findLast((one) => one.kind === 'malfeasance');
    const offence = proof === undefined ? event?.what : (OFFENCES[proof.type] ?? `type ${proof.type}`);
    return check.costs(
      'cancelled',
      'is cancelled by the network for ever: it earns nothing any more, and nothing can undo it',
      [
        ...(proof === undefined ? [] : ['MalfeasanceService lists it']),
        ...(event === undefined ? [] : ["the node's event: malfeasance"]),
        ...(offence === undefined ? [] : [`proved against it: ${offence}`]),
      ],
      'find out where else its key was used, before the same happens to the others',
    );
  }
  if (cancelled === 'unknown') {
    return check.unknown(
      'may or may not be cancelled',
      malfeasance.kind === 'unknown' ? malfeasance.why : 'not asked',
    );
  }
  return check.ok('is not cancelled', ['MalfeasanceService does not list it']);
}

function checkAtx(identity: IdentityEvidence, project: ProjectEvidence, journey: Journey): Check {
  const check = checksOf('atx');
  const { epoch, earning, earningAtx, isNew } = journey;
  if (epoch < FIRST_PAID_EPOCH) {
    return check.notDue('before-rewards', `earns nothing in epoch ${epoch}, as everybody`);
  }
  if (earning === 'yes') {
    const message = `has an ATX that earns in epoch ${epoch}`;
    if (earningAtx === undefined) return check.ok(message, ["the node's event: ATX published"]);
    const { evidence, faults } = weightOf(earningAtx, identity, project, journey);
    const [fault] = faults;
    if (fault !== undefined) {
      return check.warning(fault.code, `${message}, but ${fault.words}`, evidence, fault.next);
    }
    return check.ok(message, evidence);
  }
  if (earning === 'unknown') {
    return check.unknown(
      `may or may not have an ATX for epoch ${epoch}`,
      identity.atxs.kind === 'unknown' ? identity.atxs.why : 'the node does not say',
    );
  }
  if (isNew) return check.notDue('new', 'is new: it has no ATX yet');
  return check.costs('no-atx', `published no ATX in epoch ${epoch - 1}: it earns nothing in epoch ${epoch}`, [
    'ActivationService lists none',
  ]);
}

/** The layers in which it may propose, as far as the node remembers telling them. */
export function eligibleLayers(events: readonly NodeEvent[], epoch: number): readonly number[] | undefined {
  const told = events.findLast((event) => event.kind === 'eligibilities' && event.epoch === epoch);
  // The node's own map has no order.
  return told?.kind === 'eligibilities'
    ? told.layers.map(({ layer }) => layer).sort((a, b) => a - b)
    : undefined;
}

function checkEligibility(
  identity: IdentityEvidence,
  { now, clock }: ProjectEvidence,
  journey: Journey,
): Check {
  const check = checksOf('eligibility');
  const { epoch, earning, events } = journey;
  if (earning !== 'yes') {
    return check.notDue('no-eligibility', `has no eligible layers in epoch ${epoch}: that takes an ATX`);
  }
  const layers = eligibleLayers(events, epoch);
  if (layers !== undefined) {
    if (layers.length === 0) {
      return check.warning(
        'no-slots',
        `has no eligible layer in epoch ${epoch}: its weight is too small for one`,
        ["the node's event: eligibilities"],
      );
    }
    const next = layers.find((layer) => layerStart(layer, clock) > now);
    return check.ok(`has ${plural(layers.length, 'eligible layer')} in epoch ${epoch}`, [
      next === undefined
        ? `all of them are over, the last was ${digits(layers.at(-1) ?? 0)}`
        : `the next is ${digits(next)}, ${utc(layerStart(next, clock), clock)}`,
    ]);
  }
  const paid = identity.rewards.kind === 'known' ? identity.rewards.value.length : 0;
  const proposals = proposalsIn(events, journey, clock.epoch / clock.layer);
  if (paid + proposals > 0) {
    return check.ok(`was eligible in epoch ${epoch}`, [
      paid > 0 ? `paid for ${plural(paid, 'layer')}` : `${plural(proposals, 'proposal')} published`,
    ]);
  }
  return check.unknown(
    `has eligible layers in epoch ${epoch} that nobody can name now`,
    'the node tells them once, when the epoch begins or when it starts, and remembers its last 100 events only',
  );
}

function checkPaid(
  { rewards }: IdentityEvidence,
  { clock, coinbase, node }: ProjectEvidence,
  { epoch, earning, events, cancelled }: Journey,
): Check {
  const check = checksOf('rewards');
  if (earning !== 'yes') return check.notDue('no-rewards', `is paid nothing in epoch ${epoch}`);
  if (rewards.kind === 'unknown') {
    return check.unknown(`may or may not have been paid in epoch ${epoch}`, rewards.why);
  }
  const paid = rewards.value;
  if (paid.length > 0) {
    const sum = paid.reduce((total, reward) => total + reward.total, 0n);
    const message = `was paid for ${plural(paid.length, 'layer')}: ${digits(sum)} smidge`;
    const accounts = [...new Set(paid.map((reward) => reward.coinbase))];
    const evidence = [
      `last in layer ${digits(paid.at(-1)?.layer ?? 0)}`,
      ...accounts.map((one) => `to ${one}`),
    ];
    return accounts.every((account) => account === coinbase)
      ? check.ok(message, evidence)
      : check.warning('paid-elsewhere', `${message}, but not to the account of smesh.yaml`, evidence);
  }
  const layers = eligibleLayers(events, epoch);
  if (layers === undefined) {
    return check.notDue('not-paid-yet', `has not been paid anything in epoch ${epoch} yet`, [
      `its eligible layers are not known; ${utc(endOf(epoch, clock.genesis, clock.epoch), clock)} is the end of the epoch`,
    ]);
  }
  if (layers.length === 0) return check.notDue('no-rewards', `is paid nothing in epoch ${epoch}`);
  if (node.appliedLayer === undefined) {
    return check.unknown('has not been paid yet', node.fault ?? 'the node does not say how far it is');
  }
  const applied = node.appliedLayer;
  const over = layers.filter((layer) => layer <= applied).length;
  if (over === 0) {
    const first = layers[0] ?? 0;
    return check.notDue(
      'not-paid-yet',
      `has not been paid yet: its first eligible layer is ${digits(first)}`,
      [utc(layerStart(first, clock), clock)],
    );
  }
  const message = `was not paid for any of ${plural(over, 'eligible layer')} that ${over === 1 ? 'is' : 'are'} over`;
  const evidence = [`layers are applied up to ${digits(applied)}`];
  if (over < UNPAID_LAYERS) return check.warning('unpaid', message, evidence);
  const next =
    cancelled === 'yes'
      ? undefined
      : 'were its proposals published in time? smesh-compose events, and the clock of this host';
  return check.costs('unpaid', message, evidence, next);
}

function proposalsIn(events: readonly NodeEvent[], { epoch }: Journey, layersPerEpoch: number): number {
  return events.filter(
    (event) => event.kind === 'proposal' && Math.floor(event.layer / layersPerEpoch) === epoch,
  ).length;
}

function layerStart(layer: number, clock: { readonly genesis: number; readonly layer: number }): number {
  return clock.genesis + layer * clock.layer;
}

function endOf(epoch: number, genesis: number, length: number): number {
  return genesis + (epoch + 1) * length;
}
