import type { SmesherId } from '../identity/smesher-id.ts';
import { type AnswerReader, type Parsed, parseAnswer } from './reader.ts';

/** One entry of the node's AdminService.EventsStream (spacemesh.md §5.4). */
export type NodeEvent = NodeEventDetails & {
  /** Milliseconds since 1970, by the node's clock. */
  readonly at: number;
  readonly failed: boolean;
  /** The node's own sentence. */
  readonly help: string;
};

/** Epochs and layers are numbers; ATX IDs, challenges and beacons hex; times milliseconds since 1970. */
export type NodeEventDetails =
  | { readonly kind: 'beacon'; readonly epoch: number; readonly beacon: string }
  | { readonly kind: 'init-start' | 'init-complete'; readonly smesher: SmesherId }
  | { readonly kind: 'init-failed'; readonly smesher: SmesherId; readonly error: string }
  /** A post-service is connected and has been asked; the initial proof has the challenge of all zeros. */
  | { readonly kind: 'post-start'; readonly smesher: SmesherId; readonly challenge: string }
  /** With `failed`: no proof, or an invalid one; the challenge is then empty. */
  | { readonly kind: 'post-complete'; readonly smesher: SmesherId; readonly challenge: string }
  | {
      readonly kind: 'atx-published';
      readonly smesher: SmesherId;
      readonly current: number;
      readonly target: number;
      readonly atx: string;
      /** Start of the target epoch. */
      readonly until: number;
    }
  | {
      readonly kind: 'eligibilities';
      readonly smesher: SmesherId;
      readonly epoch: number;
      readonly atx: string;
      readonly activeSetSize: number;
      readonly layers: readonly { readonly layer: number; readonly count: number }[];
    }
  | {
      readonly kind: 'proposal';
      readonly smesher: SmesherId;
      readonly layer: number;
      readonly proposal: string;
    }
  /** An identity of this node is cancelled for ever. */
  | {
      readonly kind: 'malfeasance';
      readonly smesher: SmesherId;
      readonly layer?: number;
      readonly what: string;
    }
  | { readonly kind: 'post-service-started' | 'post-service-stopped' }
  | {
      readonly kind: 'waiting-for-registration-window';
      readonly smesher: SmesherId;
      readonly current: number;
      readonly publish: number;
      readonly until: number;
    }
  | {
      readonly kind: 'waiting-for-round-end';
      readonly smesher: SmesherId;
      readonly publish: number;
      readonly target: number;
      readonly until: number;
    }
  | {
      readonly kind: 'registered-in-poet';
      readonly smesher: SmesherId;
      readonly url: string;
      readonly roundId: string;
    }
  | {
      readonly kind: 'poet-proof-downloaded';
      readonly url: string;
      readonly roundId: string;
      readonly ticks: bigint;
    }
  | {
      readonly kind: 'poet-proof-selected';
      readonly smesher: SmesherId;
      readonly url: string;
      readonly roundId: string;
      readonly ticks: bigint;
    }
  /** The two waits as nodes before 1.7.5 tell them; newer ones send both forms (spacemesh.md §5.4). */
  | {
      readonly kind: 'legacy-wait';
      readonly smesher: SmesherId;
      readonly for: 'round-start' | 'round-end';
      readonly publish: number;
      readonly until: number;
    }
  /** Something that a newer node says. */
  | { readonly kind: 'other'; readonly name: string };

const READERS: Readonly<Record<string, (details: AnswerReader) => NodeEventDetails>> = {
  beacon: (d) => ({ kind: 'beacon', epoch: d.field('epoch').count(), beacon: d.field('beacon').hex() }),
  initStart: (d) => ({ kind: 'init-start', smesher: smesherOf(d) }),
  initComplete: (d) => ({ kind: 'init-complete', smesher: smesherOf(d) }),
  initFailed: (d) => ({ kind: 'init-failed', smesher: smesherOf(d), error: d.field('error').text() }),
  postStart: (d) => ({ kind: 'post-start', smesher: smesherOf(d), challenge: d.field('challenge').hex() }),
  postComplete: (d) => ({
    kind: 'post-complete',
    smesher: smesherOf(d),
    challenge: d.field('challenge').hex(),
  }),
  poetWaitRound: (d) => ({ ...legacyWait(d), for: 'round-start' }),
  poetWaitProof: (d) => ({ ...legacyWait(d), for: 'round-end' }),
  atxPublished: (d) => ({
    kind: 'atx-published',
    smesher: smesherOf(d),
    current: d.field('current').count(),
    target: d.field('target').count(),
    atx: d.field('id').hash(),
    until: d.field('until').time(),
  }),
  eligibilities: (d) => ({
    kind: 'eligibilities',
    smesher: smesherOf(d),
    epoch: d.field('epoch').count(),
    atx: d.field('atx').hash(),
    activeSetSize: d.field('activeSetSize').count(),
    layers: d
      .field('eligibilities')
      .list()
      .map((item) => ({ layer: item.field('layer').count(), count: item.field('count').count() })),
  }),
  proposal: (d) => ({
    kind: 'proposal',
    smesher: smesherOf(d),
    layer: d.field('layer').count(),
    proposal: d.field('proposal').hex(),
  }),
  malfeasance: (d) => {
    const proof = d.field('proof');
    const layer = proof.field('layer');
    return {
      kind: 'malfeasance',
      smesher: proof.field('smesherId').field('id').smesherId(),
      ...(layer.present ? { layer: layer.field('number').count() } : {}),
      what: proof.field('kind').present ? String(proof.record['kind']) : 'unknown',
    };
  },
  postServiceStarted: () => ({ kind: 'post-service-started' }),
  postServiceStopped: () => ({ kind: 'post-service-stopped' }),
  waitingForPoetRegistrationWindow: (d) => ({
    kind: 'waiting-for-registration-window',
    smesher: smesherOf(d),
    current: d.field('current').count(),
    publish: d.field('publish').count(),
    until: d.field('roundEnd').time(),
  }),
  waitingForPoetRoundEnd: (d) => ({
    kind: 'waiting-for-round-end',
    smesher: smesherOf(d),
    publish: d.field('publish').count(),
    target: d.field('target').count(),
    until: d.field('roundEnd').time(),
  }),
  registeredInPoet: (d) => ({
    kind: 'registered-in-poet',
    smesher: smesherOf(d),
    url: d.field('url').text(),
    roundId: d.field('roundId').text(),
  }),
  proofDownloadedFromPoet: (d) => ({ kind: 'poet-proof-downloaded', ...poetProof(d) }),
  bestProofSelected: (d) => ({ kind: 'poet-proof-selected', smesher: smesherOf(d), ...poetProof(d) }),
};

function smesherOf(details: AnswerReader): SmesherId {
  return details.field('smesher').smesherId();
}

function poetProof(details: AnswerReader): {
  readonly url: string;
  readonly roundId: string;
  readonly ticks: bigint;
} {
  return {
    url: details.field('url').text(),
    roundId: details.field('roundId').text(),
    ticks: details.field('ticks').bigCount(),
  };
}

function legacyWait(details: AnswerReader) {
  return {
    kind: 'legacy-wait',
    smesher: smesherOf(details),
    publish: details.field('publish').count(),
    until: details.field('until').time(),
  } as const;
}

/** Reads one decoded event. An unknown kind is `other`; a known one that lacks what it must have is a fault. */
export function parseNodeEvent(answer: unknown): Parsed<NodeEvent> {
  return parseAnswer(answer, (event) => {
    // proto-loader names the alternative that is set in `details`; absent: a kind this tool does not know.
    const name = event.field('details').present ? event.field('details').text() : '';
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    return {
      at: event.field('timestamp').time(),
      failed: event.field('failure').flag(),
      help: event.field('help').text(),
      ...(read === undefined ? { kind: 'other', name } : read(event.field(name))),
    };
  });
}
