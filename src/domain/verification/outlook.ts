import type { Check } from './check.ts';
import type { ProjectEvidence } from './facts.ts';
import { FIRST_PAID_EPOCH, type Journey, utc } from './journey.ts';

/**
 * Whether an identity is paid in an epoch. `earns`: what decides it is done. `on-track`: something is still to be done,
 * and nothing stands in the way. `at-risk`: something does. `none`: it earns nothing, for a reason that is no fault (the
 * epochs of a new identity, of a new network). `lost`: it could have earned, and does not.
 */
export type Prospect = 'earns' | 'on-track' | 'at-risk' | 'none' | 'lost' | 'unknown';

export interface Outlook {
  readonly epoch: number;
  readonly prospect: Prospect;
  /** Continues the identity's name: `earns in epoch 87`. */
  readonly words: string;
}

/** What keeps an identity from proving, publishing and registering, as long as it is so. */
const OBSTACLES: readonly string[] = [
  'node',
  'key',
  'data',
  'known-to-node',
  'service',
  'connection',
  'coinbase',
];

/** In the middle of a sentence that says what is to be done; by code, else by subject. */
const OBSTACLE_WORDS: Readonly<Record<string, string>> = {
  node: 'no node is there to do it',
  coinbase: 'the node refuses every post-service',
  'service-down': 'its service is down',
  paused: 'its service is paused',
  connection: 'the node does not reach its service',
};

/** The answer to "will I be paid?" for this epoch and the two that are prepared now (spacemesh.md §7.1). */
export function outlooksOf(
  journey: Journey,
  { clock }: ProjectEvidence,
  checks: readonly Check[],
): readonly Outlook[] {
  const { epoch } = journey;
  if (journey.cancelled === 'yes') {
    return [epoch, epoch + 1, epoch + 2].map((of) => ({
      epoch: of,
      prospect: 'lost',
      words: 'earns nothing any more: it is cancelled for ever',
    }));
  }
  const outlooks = [
    presentEpoch(journey, checks),
    nextEpoch(journey, checks, (at) => utc(at, clock)),
    epochAfter(journey, checks, (at) => utc(at, clock)),
  ];
  if (journey.cancelled === 'no') return outlooks;
  // Everything else may be right and nothing is paid all the same.
  return outlooks.map((outlook) =>
    outlook.prospect === 'earns' || outlook.prospect === 'on-track'
      ? {
          ...outlook,
          prospect: 'unknown',
          words: `${outlook.words}, unless it is cancelled, which the node does not say`,
        }
      : outlook,
  );
}

type Tell = (at: number) => string;

function presentEpoch(journey: Journey, checks: readonly Check[]): Outlook {
  const { epoch, earning, isNew } = journey;
  const earns = `earns in epoch ${epoch}`;
  const nothing = `earns nothing in epoch ${epoch}`;
  if (epoch < FIRST_PAID_EPOCH) return { epoch, prospect: 'none', words: `${nothing}, as everybody` };
  if (earning === 'unknown') {
    return {
      epoch,
      prospect: 'unknown',
      words: `may or may not earn in epoch ${epoch}: the node does not say`,
    };
  }
  if (earning === 'no') {
    return isNew
      ? { epoch, prospect: 'none', words: `${nothing}: it is new` }
      : { epoch, prospect: 'lost', words: `${nothing}: no ATX of it came out in epoch ${epoch - 1}` };
  }
  const rewards = find(checks, 'rewards');
  if (find(checks, 'eligibility')?.code === 'no-slots') {
    return { epoch, prospect: 'none', words: `${nothing}: it has no eligible layer` };
  }
  if (rewards?.code === 'unpaid') {
    return {
      epoch,
      prospect: rewards.level === 'costs-rewards' ? 'lost' : 'at-risk',
      words: `could earn in epoch ${epoch}, but ${rewards.message}`,
    };
  }
  if (rewards?.level === 'ok' || rewards?.code === 'paid-elsewhere') {
    return { epoch, prospect: 'earns', words: `${earns}, and ${rewards.message}` };
  }
  return {
    epoch,
    prospect: 'earns',
    words: `${earns} by its ATX, and ${rewards?.message ?? 'has not been paid yet'}`,
  };
}

function nextEpoch(journey: Journey, checks: readonly Check[], tell: Tell): Outlook {
  const { published, due, isNew, now, proofFrom, publishesUntil } = journey;
  const epoch = journey.epoch + 1;
  const nothing = `will earn nothing in epoch ${epoch}`;
  if (published === 'yes') {
    return { epoch, prospect: 'earns', words: `will earn in epoch ${epoch}: its ATX is out` };
  }
  if (epoch < FIRST_PAID_EPOCH) return { epoch, prospect: 'none', words: `${nothing}, as everybody` };
  if (due === 'unknown') {
    return {
      epoch,
      prospect: 'unknown',
      words: `may or may not earn in epoch ${epoch}: nothing says whether its ATX is on its way`,
    };
  }
  if (due === 'no') {
    return isNew
      ? { epoch, prospect: 'none', words: `${nothing}: it is new` }
      : { epoch, prospect: 'lost', words: `${nothing}: it was not registered for round ${epoch - 2}` };
  }
  if (find(checks, 'publication')?.code === 'poet-proof-missed') {
    return { epoch, prospect: 'lost', words: `${nothing}: the proof of round ${epoch - 2} never came` };
  }
  if (find(checks, 'publication')?.code === 'too-late') {
    return {
      epoch,
      prospect: 'lost',
      words: `${nothing}: its proof will be done after ${tell(publishesUntil)}`,
    };
  }
  const obstacle = obstacleIn(checks);
  const words =
    now < proofFrom
      ? `will earn in epoch ${epoch} if it proves between ${tell(proofFrom)} and ${tell(publishesUntil)}`
      : `will earn in epoch ${epoch} if its proof is done by ${tell(publishesUntil)}`;
  return obstacle === undefined
    ? { epoch, prospect: 'on-track', words }
    : { epoch, prospect: 'at-risk', words: `${words}, but ${obstacle}` };
}

function epochAfter(journey: Journey, checks: readonly Check[], tell: Tell): Outlook {
  const { registered, isNew, now, registersUntil, published, due } = journey;
  const round = journey.epoch;
  const epoch = round + 2;
  if (registered === 'yes') {
    return {
      epoch,
      prospect: 'on-track',
      words: `can earn in epoch ${epoch}: it is registered for round ${round}`,
    };
  }
  if (registered === 'unknown') {
    return {
      epoch,
      prospect: 'unknown',
      words: `may or may not earn in epoch ${epoch}: nothing says whether it is registered for round ${round}`,
    };
  }
  const until = tell(registersUntil);
  if (now < registersUntil) {
    const late = find(checks, 'publication')?.code;
    if (late === 'late' || late === 'too-late') {
      return {
        epoch,
        prospect: 'lost',
        words: `will not earn in epoch ${epoch}: it cannot register by ${until}`,
      };
    }
    const first = due === 'yes' && published !== 'yes' ? 'publishes and registers' : 'registers';
    const words = `can earn in epoch ${epoch} if it ${first} by ${until}`;
    const obstacle = obstacleIn(checks);
    return obstacle === undefined
      ? { epoch, prospect: 'on-track', words }
      : { epoch, prospect: 'at-risk', words: `${words}, but ${obstacle}` };
  }
  if (isNew && find(checks, 'registration')?.level !== 'costs-rewards') {
    return {
      epoch,
      prospect: 'none',
      words: `will earn nothing in epoch ${epoch}: it is new, and its first round is ${round + 1}`,
    };
  }
  return { epoch, prospect: 'lost', words: `will earn nothing in epoch ${epoch}: it missed round ${round}` };
}

function find(checks: readonly Check[], subject: string): Check | undefined {
  return checks.find((check) => check.subject === subject);
}

/** Why it cannot do its part now; what is only in doubt is no obstacle. */
function obstacleIn(checks: readonly Check[]): string | undefined {
  const found = checks.find(
    ({ subject, level, code }) =>
      OBSTACLES.includes(subject) &&
      (level === 'costs-rewards' || (level === 'warning' && code === 'service-down')),
  );
  if (found === undefined) return undefined;
  return OBSTACLE_WORDS[found.code] ?? OBSTACLE_WORDS[found.subject] ?? `it ${found.message}`;
}
