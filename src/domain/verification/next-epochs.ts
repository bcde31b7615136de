import { type Check, checksOf } from './check.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';
import { type Journey, utc } from './journey.ts';
import { weightOf } from './weight.ts';

/** What the next two epochs will pay for: this epoch's ATX, and the registration for this epoch's round. */
export function checkNextEpochs(
  identity: IdentityEvidence,
  project: ProjectEvidence,
  journey: Journey,
): readonly Check[] {
  return [checkPublication(identity, project, journey), checkRegistration(identity, project, journey)];
}

function checkPublication(identity: IdentityEvidence, project: ProjectEvidence, journey: Journey): Check {
  const check = checksOf('publication');
  const { epoch, now, published, publishedAtx, due, isNew, proofFrom, publishesUntil } = journey;
  const { clock } = project;
  if (published === 'yes') {
    const message = `has published its ATX of epoch ${epoch}`;
    if (publishedAtx === undefined) return check.ok(message, ["the node's event: ATX published"]);
    const { evidence, faults } = weightOf(publishedAtx, identity, project, journey);
    const [fault] = faults;
    return fault === undefined
      ? check.ok(message, evidence)
      : check.warning(fault.code, `${message}, but ${fault.words}`, evidence, fault.next);
  }
  if (epoch === 0) return check.notDue('before-rounds', 'publishes nothing in epoch 0, as everybody');
  if (due === 'unknown') {
    const why = identity.rows.kind === 'unknown' ? `local.sql: ${identity.rows.why}` : 'nothing tells';
    return check.unknown(`may or may not have to publish an ATX in epoch ${epoch}`, why);
  }
  if (due === 'no') {
    if (isNew) {
      const late = firstProofLate(identity, project, journey);
      if (late !== undefined) return late;
      return check.notDue(
        'new',
        journey.initialProof === 'yes'
          ? 'is new: it has made its initial proof'
          : 'is new: it makes its initial proof first',
      );
    }
    return check.costs(
      'no-proof-due',
      `has nothing to publish in epoch ${epoch}: it was not registered for round ${epoch - 1}, and earns nothing in epoch ${epoch + 1}`,
      ['local.sql: no challenge for this epoch', 'ActivationService: no ATX of this epoch'],
    );
  }
  if (now < proofFrom) {
    return check.notDue('waits-for-round', `waits for round ${epoch - 1} of the PoET to end`, [
      `ends ${utc(proofFrom, clock)}`,
    ]);
  }
  const late = poetProofLate(identity, project, journey);
  if (late !== undefined) return late;
  const { activity } = identity.state;
  const doneAt = activity.kind === 'reading' ? activity.doneAt : undefined;
  const until = utc(publishesUntil, clock);
  const evidence = [identity.doing, `until ${until}`];
  if (doneAt !== undefined && doneAt > publishesUntil) {
    return check.costs('too-late', `will be done with its proof after the end of epoch ${epoch}`, [
      `done about ${utc(doneAt, clock)}`,
      ...evidence,
    ]);
  }
  if (doneAt !== undefined && now < journey.registersUntil && doneAt > journey.registersUntil) {
    return check.costs(
      'late',
      `will publish in time, but too late to register for round ${epoch}: it loses epoch ${epoch + 2}`,
      [`done about ${utc(doneAt, clock)}`, `round ${epoch} begins ${utc(journey.registersUntil, clock)}`],
    );
  }
  return check.notDue('proof-due', `has to prove and publish its ATX of epoch ${epoch}`, evidence);
}

/** A first proof has no ATX to be late with, but a round to be registered for (spacemesh.md §7.1). */
function firstProofLate(
  { state, doing }: IdentityEvidence,
  { clock }: ProjectEvidence,
  { epoch, now, initialProof, registersUntil }: Journey,
): Check | undefined {
  const { activity } = state;
  if (initialProof === 'yes' || activity.kind !== 'reading' || activity.doneAt === undefined)
    return undefined;
  if (now >= registersUntil || activity.doneAt <= registersUntil) return undefined;
  return checksOf('publication').costs(
    'late',
    `is new, and will be done with its first proof too late to register for round ${epoch}: it loses epoch ${epoch + 2}`,
    [
      doing,
      `done about ${utc(activity.doneAt, clock)}`,
      `round ${epoch} begins ${utc(registersUntil, clock)}`,
    ],
  );
}

/** The round is over and its proof is not there: nobody can prove yet, however long it takes (S27). */
function poetProofLate(
  { rows }: IdentityEvidence,
  { clock }: ProjectEvidence,
  { epoch, now, proofFrom, publishesUntil }: Journey,
): Check | undefined {
  const challenge = rows.kind === 'known' && rows.value !== 'none' ? rows.value.challenge : undefined;
  if (challenge?.publishEpoch !== epoch || challenge.hasPoetProof) return undefined;
  const check = checksOf('publication');
  const lastAsked = publishesUntil - clock.cycleGap;
  const message = `waits for the proof of round ${epoch - 1}, which no PoET has given yet`;
  const evidence = [
    `the round ended ${utc(proofFrom, clock)}`,
    `the node asks until ${utc(lastAsked, clock)}`,
  ];
  if (now > lastAsked) {
    return check.costs(
      'poet-proof-missed',
      `never got the proof of round ${epoch - 1}`,
      evidence,
      LOG_OF_NODE,
    );
  }
  // An hour of the twelve that a gap usually has.
  return now - proofFrom > clock.cycleGap / 12
    ? check.warning('poet-proof-late', message, evidence, LOG_OF_NODE)
    : check.notDue('waits-for-poet', message, evidence);
}

function checkRegistration(
  identity: IdentityEvidence,
  { clock, poetServers }: ProjectEvidence,
  journey: Journey,
): Check {
  const check = checksOf('registration');
  const { epoch, now, registered, registersFrom, registersUntil } = journey;
  const rows =
    identity.rows.kind === 'known' && identity.rows.value !== 'none' ? identity.rows.value : undefined;
  if (registered === 'yes') {
    const at = rows?.registrations
      .filter(({ roundId }) => roundId === String(epoch))
      .map(({ address }) => address);
    const told = journey.events.flatMap((event) =>
      event.kind === 'registered-in-poet' && event.roundId === String(epoch) ? [event.url] : [],
    );
    return registeredAt(check, epoch, at ?? [...new Set(told)], poetServers, now < registersUntil);
  }
  if (registered === 'unknown') {
    const why = identity.rows.kind === 'unknown' ? `local.sql: ${identity.rows.why}` : 'nothing tells';
    return check.unknown(`may or may not be registered for round ${epoch}`, why);
  }
  const window = `${utc(registersFrom, clock)} to ${utc(registersUntil, clock)}`;
  if (now < registersFrom) {
    return check.notDue('registers-later', `registers for round ${epoch} later`, [window]);
  }
  if (now < registersUntil) {
    const mayRegister =
      journey.published === 'yes' || (journey.due === 'no' && journey.initialProof === 'yes');
    return mayRegister
      ? check.warning('registering', `is not registered for round ${epoch} yet`, [window], LOG_OF_NODE)
      : check.notDue('registers-later', `registers for round ${epoch} when its ATX is out`, [window]);
  }
  const next = `round ${epoch + 1}: ${utc(registersFrom + clock.epoch, clock)} to ${utc(registersUntil + clock.epoch, clock)}`;
  if (isReadyOnlyNow(identity, journey)) {
    return check.notDue('registers-later', `registers for round ${epoch + 1}, the first that it can be in`, [
      next,
    ]);
  }
  if (journey.due === 'yes' && journey.published !== 'yes') {
    return check.costs(
      'proof-too-late',
      `was not done with its proof when round ${epoch} began: it publishes nothing in epoch ${epoch + 1} and earns nothing in epoch ${epoch + 2}`,
      [identity.doing, `next chance, ${next}`],
    );
  }
  return check.costs(
    'not-registered',
    `is not registered for round ${epoch}, which has begun: it publishes nothing in epoch ${epoch + 1} and earns nothing in epoch ${epoch + 2}`,
    [`local.sql: no registration for round ${epoch}`, `next chance, ${next}`],
    `${LOG_OF_NODE}   (which PoET refused it, or was away?)`,
  );
}

const LOG_OF_NODE = 'smesh-compose logs node';

function registeredAt(
  check: ReturnType<typeof checksOf>,
  epoch: number,
  at: readonly string[],
  configured: readonly string[],
  running: boolean,
): Check {
  const of = configured.length;
  const here = configured.filter((address) => at.includes(address));
  const evidence = [...at].sort();
  if (of === 0 || at.length === 0) return check.ok(`is registered for round ${epoch}`, evidence);
  if (here.length === 0) {
    return check.warning(
      'registered-elsewhere',
      `is registered for round ${epoch}, but at no PoET of smesh.yaml: while the round runs the node does not start again with this list`,
      evidence,
      'put the PoET back on the list until its proof is there',
    );
  }
  const message = `is registered for round ${epoch} at ${here.length} of ${of} PoETs`;
  if (here.length === of || running) return check.ok(message, evidence);
  const missing = configured.filter((address) => !at.includes(address));
  return check.warning(
    'registered-partly',
    `${message}: one is enough, but the ticks are those of the best that it has`,
    [...evidence, ...missing.map((address) => `not at ${address}`)],
  );
}

/** New, and without anything to show that it could have registered in time. */
function isReadyOnlyNow(identity: IdentityEvidence, journey: Journey): boolean {
  const { isNew, due, published } = journey;
  return isNew && due !== 'yes' && published !== 'yes' && !hasWaitedFor(identity, journey);
}

/** It was ready for the window of this round, so that it is late by something that went wrong. */
function hasWaitedFor({ rows }: IdentityEvidence, { epoch, events, initialProof }: Journey): boolean {
  const publish = epoch + 1;
  if (rows.kind === 'known' && rows.value !== 'none' && rows.value.challenge?.publishEpoch === publish)
    return true;
  return (
    initialProof === 'yes' &&
    events.some(
      (event) =>
        (event.kind === 'waiting-for-registration-window' ||
          (event.kind === 'legacy-wait' && event.for === 'round-start')) &&
        event.publish === publish,
    )
  );
}
