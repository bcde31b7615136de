import fc from 'fast-check';
import { CONTAINER_STATES, type ContainerState } from '../../../../src/domain/compose/observed.ts';

export const MINUTE = 60_000;
/** Of mainnet. */
export const LAYER = 5 * MINUTE;

/** How things really are with one prover and its node; all times are how long they have been so, in milliseconds. */
export interface StopTruth {
  readonly container: ContainerState;
  readonly held: boolean;
  readonly startedFor: number;
  readonly says: 'Idle' | 'Proving' | 'DoneProving' | 'silent' | 'refused' | 'unreachable' | 'nonsense';
  /** For how long it has said so. */
  readonly saidFor: number;
  /** Its proof has failed: only with `DoneProving`. */
  readonly failed: boolean;
  /** Its passes end at once over much data, or file after file cannot be read: only with `Proving`. */
  readonly dataGone: 'no' | 'at-once' | 'unreadable';
  readonly node: 'answers' | 'silent' | 'down';
  readonly nodeUpFor: number;
  readonly synced: boolean;
  readonly wants: 'IDLE' | 'PROVING' | 'not listed' | 'both' | 'odd';
  readonly wantedFor: number;
}

/** Which parts of it can be seen; the others do not answer, or nobody has asked. */
export interface StopEvidence {
  readonly log: 'read' | 'unread' | 'empty';
  readonly events: boolean;
  /** For how long somebody has watched, every few seconds. */
  readonly watchedFor: number;
  readonly smesherIds: boolean;
  readonly nodeStatus: boolean;
  readonly dataBytes: boolean;
  readonly startTimes: boolean;
}

const durations = fc.oneof(
  fc.constantFrom(
    0,
    1000,
    MINUTE,
    2 * MINUTE - 1000,
    2 * MINUTE,
    2 * MINUTE + 6000,
    LAYER,
    1.6 * LAYER,
    2 * LAYER - 1000,
    2 * LAYER,
    2 * LAYER + 6000,
  ),
  fc.integer({ min: 0, max: 30 * MINUTE }),
  fc.integer({ min: 0, max: 48 * 60 * MINUTE }),
);

const anything: fc.Arbitrary<StopTruth> = fc
  .record({
    container: fc.oneof(
      { arbitrary: fc.constant<ContainerState>('running'), weight: 12 },
      fc.constantFrom(...CONTAINER_STATES),
    ),
    held: fc.oneof({ arbitrary: fc.constant(false), weight: 12 }, fc.constant(true)),
    startedFor: durations,
    says: fc.oneof(
      { arbitrary: fc.constant<StopTruth['says']>('Idle'), weight: 5 },
      fc.constantFrom<StopTruth['says']>(
        'Proving',
        'DoneProving',
        'silent',
        'refused',
        'unreachable',
        'nonsense',
      ),
    ),
    saidFor: durations,
    failed: fc.boolean(),
    dataGone: fc.constantFrom<StopTruth['dataGone']>('no', 'no', 'at-once', 'unreadable'),
    node: fc.oneof(
      { arbitrary: fc.constant<StopTruth['node']>('answers'), weight: 6 },
      fc.constantFrom<StopTruth['node']>('silent', 'down'),
    ),
    nodeUpFor: durations,
    synced: fc.oneof({ arbitrary: fc.constant(true), weight: 5 }, fc.constant(false)),
    wants: fc.oneof(
      { arbitrary: fc.constantFrom<StopTruth['wants']>('IDLE', 'PROVING'), weight: 6 },
      fc.constantFrom<StopTruth['wants']>('not listed', 'both', 'odd'),
    ),
    wantedFor: durations,
  })
  // Nobody has said anything for longer than he lives, and no node has wanted for longer than it is up.
  .map((truth) => ({
    ...truth,
    saidFor: Math.min(truth.saidFor, truth.startedFor),
    wantedFor: Math.min(truth.wantedFor, truth.nodeUpFor),
    failed: truth.failed && truth.says === 'DoneProving',
    dataGone: truth.says === 'Proving' ? truth.dataGone : 'no',
  }));

/** Both are up for long: what remains are the rows that count minutes and layers. */
export const truths: fc.Arbitrary<StopTruth> = fc.oneof(
  anything,
  fc
    .tuple(
      anything,
      durations,
      durations,
      fc.constantFrom<StopTruth['says']>('Idle', 'DoneProving'),
      fc.boolean(),
    )
    .map(([truth, saidFor, wantedFor, says, failed]) => ({
      ...truth,
      ...{ container: 'running' as const, held: false, node: 'answers' as const, wants: 'PROVING' as const },
      ...{
        synced: true,
        startedFor: 7 * 24 * 60 * MINUTE,
        nodeUpFor: 6 * 24 * 60 * MINUTE,
        dataGone: 'no' as const,
      },
      ...{ saidFor, wantedFor, says, failed: failed && says === 'DoneProving' },
    })),
);

export const evidences: fc.Arbitrary<StopEvidence> = fc.record({
  log: fc.oneof(
    { arbitrary: fc.constant<StopEvidence['log']>('read'), weight: 3 },
    fc.constantFrom<StopEvidence['log']>('unread', 'empty'),
  ),
  events: fc.boolean(),
  watchedFor: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15 * MINUTE })),
  smesherIds: fc.oneof({ arbitrary: fc.constant(true), weight: 4 }, fc.constant(false)),
  nodeStatus: fc.oneof({ arbitrary: fc.constant(true), weight: 6 }, fc.constant(false)),
  dataBytes: fc.oneof({ arbitrary: fc.constant(true), weight: 4 }, fc.constant(false)),
  startTimes: fc.oneof({ arbitrary: fc.constant(true), weight: 6 }, fc.constant(false)),
});

export const EVERYTHING: StopEvidence = {
  log: 'read',
  events: true,
  watchedFor: 0,
  smesherIds: true,
  nodeStatus: true,
  dataBytes: true,
  startTimes: true,
};

interface Row {
  readonly row: string;
  readonly holds: (truth: StopTruth) => boolean;
  readonly stop: boolean;
}

const settled = ({ nodeUpFor, synced }: StopTruth) => synced && nodeUpFor >= 2 * LAYER;
const idleAndWanted = ({ saidFor, wantedFor }: StopTruth) => Math.min(saidFor, wantedFor);
const asked = (truth: StopTruth, wants: StopTruth['wants'], says: StopTruth['says']) =>
  truth.node === 'answers' && truth.wants === wants && truth.says === says;

/**
 * The table of operators.md §d.6, row by row, and what it leaves to be said: what is no running container, and a node
 * that is known not to run. The first row that holds counts.
 */
export const TABLE: readonly Row[] = [
  { row: 'the container is paused', holds: ({ container }) => container === 'paused', stop: false },
  {
    row: 'the container does not run: nothing to stop',
    holds: ({ container }) => container !== 'running',
    stop: true,
  },
  { row: 'the container is held', holds: ({ held }) => held, stop: false },
  {
    row: 'any | pass after pass whose read ends at once: data vanished',
    // Files that cannot be read end only themselves (spacemesh.md §3.2): the proof may be in the others.
    holds: ({ dataGone }) => dataGone === 'at-once',
    stop: true,
  },
  { row: 'any | no answer, connection accepted', holds: ({ says }) => says === 'silent', stop: false },
  {
    row: 'any | nobody can say what it says',
    holds: ({ says }) => says === 'unreachable' || says === 'nonsense',
    stop: false,
  },
  { row: 'any | connection refused although it runs', holds: ({ says }) => says === 'refused', stop: false },
  {
    row: 'the node is known not to run | Idle: nobody can have asked it',
    holds: ({ node, says }) => node === 'down' && says === 'Idle',
    stop: true,
  },
  { row: 'node unreachable | any', holds: ({ node }) => node !== 'answers', stop: false },
  { row: 'the node says something that nobody knows', holds: ({ wants }) => wants === 'odd', stop: false },
  { row: 'the node says both', holds: ({ wants, says }) => wants === 'both' && says !== 'Idle', stop: false },
  { row: 'the node says both | Idle > 2 min', holds: (t) => t.wants === 'both', stop: false },
  {
    row: 'IDLE, synced for two layers | Idle',
    holds: (t) => asked(t, 'IDLE', 'Idle') && settled(t),
    stop: true,
  },
  { row: 'IDLE | Idle, node just started or unsynced', holds: (t) => asked(t, 'IDLE', 'Idle'), stop: false },
  { row: 'IDLE | Proving', holds: (t) => asked(t, 'IDLE', 'Proving'), stop: false },
  { row: 'IDLE | DoneProving', holds: (t) => asked(t, 'IDLE', 'DoneProving'), stop: false },
  { row: 'PROVING | Proving', holds: (t) => asked(t, 'PROVING', 'Proving'), stop: false },
  {
    row: 'PROVING | DoneProving < 2 min',
    holds: (t) => asked(t, 'PROVING', 'DoneProving') && t.saidFor < 2 * MINUTE,
    stop: false,
  },
  {
    row: 'PROVING | DoneProving, 2 min to 2 layers',
    holds: (t) => asked(t, 'PROVING', 'DoneProving') && t.saidFor <= 2 * LAYER,
    stop: false,
  },
  {
    row: 'PROVING | DoneProving > 2 layers while the node is up, the log says failed',
    holds: (t) => asked(t, 'PROVING', 'DoneProving') && t.failed && settled(t),
    stop: true,
  },
  {
    row: 'PROVING | DoneProving > 2 layers, and nothing says that it failed',
    holds: (t) => asked(t, 'PROVING', 'DoneProving'),
    stop: false,
  },
  {
    row: 'PROVING | Idle > 2 min',
    holds: (t) => asked(t, 'PROVING', 'Idle') && idleAndWanted(t) > 2 * MINUTE,
    stop: true,
  },
  { row: 'PROVING | Idle, up to 2 min', holds: (t) => asked(t, 'PROVING', 'Idle'), stop: false },
  {
    row: 'not known to a settled node | Idle',
    holds: (t) => asked(t, 'not listed', 'Idle') && settled(t),
    stop: true,
  },
  { row: 'not known to the node | any', holds: (t) => t.wants === 'not listed', stop: false },
];

export function rowOf(truth: StopTruth): Row {
  const row = TABLE.find(({ holds }) => holds(truth));
  if (row === undefined) throw new Error(`no row for ${JSON.stringify(truth)}`);
  return row;
}
