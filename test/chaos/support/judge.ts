import type { Act, Excuse } from './acts.ts';
import type { LedgerEntry } from './ledger.ts';
import { ENOUGH_TO_PUBLISH_MS, EPOCH_MS, type NetworkTimes } from './network.ts';
import { type Life, lifeAt, livesOf, type NodeLife, nodeLivesOf, proofAt, wantedSince } from './truth.ts';

/** Everything that is known of a run: what the programs and the engine say happened, and what was done. */
export interface ChaosRecord {
  readonly times: NetworkTimes;
  /** Smesher IDs by service. */
  readonly identities: ReadonlyMap<string, string>;
  /** Ledgers by service; the node's is `node`. */
  readonly ledgers: ReadonlyMap<string, readonly LedgerEntry[]>;
  /** When the engine saw a container of the service die, in order. */
  readonly deaths: ReadonlyMap<string, readonly number[]>;
  readonly acts: readonly Act[];
  readonly excuses: readonly Excuse[];
  /** Milliseconds since 1970; of what comes after nothing is judged. */
  readonly until: number;
}

export interface Fault {
  readonly kind:
    | 'proof-lost'
    | 'stopped-while-wanted'
    | 'stopped-on-a-fresh-node'
    | 'node-stopped-in-the-gap'
    | 'two-at-once'
    | 'registered-twice'
    | 'published-twice'
    | 'not-published';
  readonly text: string;
}

export interface Verdict {
  readonly faults: readonly Fault[];
  /** Proofs that were handed over. */
  readonly proofs: number;
  /** Proofs that were lost, and through whom. */
  readonly lost: Readonly<Record<'forced' | 'other' | 'tool' | 'photoFinish', number>>;
  /** Identity and epoch pairs that had to be published, and those that nobody could ask for. */
  readonly epochs: {
    readonly required: number;
    readonly published: number;
    /** It had not registered; it was busy with a proof of before; it was disturbed on purpose for too long. */
    readonly excused: Readonly<Record<'unregistered' | 'late' | 'disturbed', number>>;
  };
}

/** Between the tool's last question and its signal nobody can know of a proof: it is as old as that. */
const PHOTO_FINISH_MS = 1500;

/** A process that has just begun has touched nobody: it has its own program to read first. */
const LOADS_MS = 100;

/** The node's word can be as old as one look at everybody on a busy machine. */
const LOOK_TAKES_MS = 4000;

/** Wanted and idle for two minutes is not connected: then a restart is what helps (operators.md d.6). */
const NOT_CONNECTED_MS = 2 * 60_000;

/** Short of what the tool promises after a start of the node, by what two clocks of one start may differ. */
const SURELY_FRESH_MS = 18_000;

/** After a start of the node: five seconds until a prover connects again, two until the node sees it. */
const CONNECTS_WITHIN_MS = 7000;

/** Judges a run by the ledgers alone; nothing that the tool says is believed. */
export function judge(record: ChaosRecord): Verdict {
  const node = record.ledgers.get('node') ?? [];
  const nodeLives = nodeLivesOf(node, record.deaths.get('node') ?? []);
  const lives = new Map(
    [...record.identities.keys()].map((service) => [
      service,
      livesOf(record.ledgers.get(service) ?? [], record.deaths.get(service) ?? []),
    ]),
  );
  const ends = [...lives].flatMap(([service, own]) => endsOf(service, own, record.until));
  const losses = ends.flatMap((end) => lossOf(record, end));
  const published = publications(record, node, nodeLives, lives);
  const count = (by: Loss['by']) => losses.filter((loss) => loss.by === by).length;
  return {
    faults: [
      ...losses.flatMap(({ by, text }) => (by === 'tool' ? [{ kind: 'proof-lost' as const, text }] : [])),
      ...ends.flatMap((end) => stoppedUnseen(record, end, node, nodeLives)),
      ...nodeLives.flatMap((life) => nodeStopped(record, life, node)),
      ...[...lives].flatMap(([service, own]) => twoAtOnce(record, service, own)),
      ...doubles(record, node),
      ...published.faults,
    ],
    proofs: [...lives.values()]
      .flatMap((own) => own.flatMap(({ proofs }) => proofs))
      .filter(({ end }) => end === 'handed-over').length,
    lost: {
      forced: count('forced'),
      other: count('other'),
      tool: count('tool'),
      photoFinish: count('photoFinish'),
    },
    epochs: published.epochs,
  };
}

interface End {
  readonly service: string;
  readonly life: Life;
}

function endsOf(service: string, lives: readonly Life[], until: number): readonly End[] {
  return lives.filter(({ to }) => to <= until).map((life) => ({ service, life }));
}

/**
 * Acts come one after the other, or within each other: a moment belongs to the innermost that goes on, and between acts
 * to the one that began last, as what it has started may outlive it.
 */
function actAt({ acts: all }: ChaosRecord, at: number): Act | undefined {
  const acts = all.filter(({ by, begin }) => by === 'other' || begin + LOADS_MS <= at);
  return (
    acts.findLast(({ begin, end }) => begin <= at && at <= end) ?? acts.findLast(({ begin }) => begin <= at)
  );
}

interface Loss {
  readonly by: 'forced' | 'other' | 'tool' | 'photoFinish';
  readonly text: string;
}

function lossOf(record: ChaosRecord, { service, life }: End): readonly Loss[] {
  const proof = proofAt(life, life.to - 0.5);
  if (proof === undefined) return [];
  const act = actAt(record, life.to);
  const worked = life.to - proof.askedAt;
  const text = `${service} lost a proof of ${seconds(worked)} at ${record.times.describe(life.to)} through ${describeAct(act)}`;
  if (act === undefined || act.by === 'other') return [{ by: 'other', text }];
  if (act.forced) return [{ by: 'forced', text }];
  return [{ by: worked < PHOTO_FINISH_MS ? 'photoFinish' : 'tool', text }];
}

/** An idle prover that the node wants, or may want: a stop then costs the epoch without a proof in sight. */
function stoppedUnseen(
  record: ChaosRecord,
  { service, life }: End,
  node: readonly LedgerEntry[],
  nodeLives: readonly NodeLife[],
): readonly Fault[] {
  const at = life.to;
  const act = actAt(record, at);
  if (act === undefined || act.by === 'other' || act.forced || proofAt(life, at - 0.5) !== undefined)
    return [];
  // A node that is down asks for nothing, and nothing was lost by the stop itself.
  const nodeLife = lifeAt(nodeLives, at);
  if (nodeLife === undefined) return [];
  const where = `${service} at ${record.times.describe(at)} through ${describeAct(act)}`;
  const since = wantedSince(node, record.identities.get(service) ?? '', at);
  if (since !== undefined && at - since >= LOOK_TAKES_MS && at - since < NOT_CONNECTED_MS) {
    return [
      {
        kind: 'stopped-while-wanted',
        text: `${where}: the node had wanted its proof for ${seconds(at - since)}`,
      },
    ];
  }
  if (at - nodeLife.from < SURELY_FRESH_MS && act.begin > nodeLife.from) {
    const age = seconds(at - nodeLife.from);
    return [
      { kind: 'stopped-on-a-fresh-node', text: `${where}: the node was up for ${age} and knew nothing yet` },
    ];
  }
  return [];
}

/** From the opening of the gap until everybody has published and registered again the tool leaves the node alone. */
function nodeStopped(record: ChaosRecord, { to }: NodeLife, node: readonly LedgerEntry[]): readonly Fault[] {
  if (to > record.until) return [];
  const act = actAt(record, to);
  if (act === undefined || act.by === 'other' || act.forced) return [];
  const { times } = record;
  const epoch = times.epochAt(to);
  if (to < times.gapOpens(epoch) + LOOK_TAKES_MS || to >= times.windowOpens(epoch)) return [];
  const waiting = [...record.identities].filter(([, id]) => {
    const registered = node.some(
      (one) => one.event === 'registered' && one.id === id && one.round === epoch - 1,
    );
    const published = node.some(
      (one) => one.event === 'published' && one.id === id && one.epoch === epoch && one.at <= to,
    );
    return registered && !published;
  });
  if (waiting.length === 0) return [];
  return [
    {
      kind: 'node-stopped-in-the-gap',
      text: `the node at ${times.describe(to)} through ${describeAct(act)}, before ${waiting.map(([name]) => name).join(', ')} had published`,
    },
  ];
}

function twoAtOnce({ times }: ChaosRecord, service: string, lives: readonly Life[]): readonly Fault[] {
  return lives.flatMap((life, index) => {
    const before = lives[index - 1];
    if (before === undefined || before.to <= life.from + 50) return [];
    return [{ kind: 'two-at-once' as const, text: `${service} ran twice at ${times.describe(life.from)}` }];
  });
}

function doubles(record: ChaosRecord, node: readonly LedgerEntry[]): readonly Fault[] {
  const names = new Map([...record.identities].map(([service, id]) => [id, service]));
  const seen = new Set<string>();
  return node.flatMap(({ event, id = '', round, epoch, poet = '' }) => {
    if (event !== 'registered' && event !== 'published') return [];
    const what = event === 'registered' ? `for round ${round} at ${poet}` : `in epoch ${epoch}`;
    const key = `${event} ${id} ${what}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const kind = event === 'registered' ? ('registered-twice' as const) : ('published-twice' as const);
    return [{ kind, text: `${names.get(id) ?? id} ${event} twice ${what}` }];
  });
}

function publications(
  record: ChaosRecord,
  node: readonly LedgerEntry[],
  nodeLives: readonly NodeLife[],
  lives: ReadonlyMap<string, readonly Life[]>,
): { readonly faults: readonly Fault[]; readonly epochs: Verdict['epochs'] } {
  const { times, identities, until } = record;
  const faults: Fault[] = [];
  const excused = { unregistered: 0, late: 0, disturbed: 0 };
  const epochs = { required: 0, published: 0, excused };
  for (let epoch = 1; times.epochStart(epoch + 1) <= until; epoch += 1) {
    for (const [service, id] of identities) {
      const isOut = node.some((one) => one.event === 'published' && one.id === id && one.epoch === epoch);
      if (isOut) epochs.published += 1;
      const registered = node.some(
        (one) => one.event === 'registered' && one.id === id && one.round === epoch - 1,
      );
      const free = longestFree(record, service, epoch, nodeLives);
      const opens = times.gapOpens(epoch);
      const life = lifeAt(lives.get(service) ?? [], opens);
      // Its service goes on with the proof of an epoch that is over, and can do nothing about another meanwhile.
      const isLate = life !== undefined && proofAt(life, opens - 0.5) !== undefined;
      const why = !registered
        ? 'unregistered'
        : isLate
          ? 'late'
          : free < ENOUGH_TO_PUBLISH_MS
            ? 'disturbed'
            : undefined;
      if (why !== undefined) {
        excused[why] += 1;
        continue;
      }
      epochs.required += 1;
      if (!isOut) {
        const text = `${service} published nothing in epoch ${epoch}, though it was left alone for ${seconds(free)} of it`;
        faults.push({ kind: 'not-published', text });
      }
    }
  }
  return { faults, epochs };
}

/** The longest time after the gap's opening in which nothing stood between an identity and its publication. */
function longestFree(
  { times, excuses }: ChaosRecord,
  service: string,
  epoch: number,
  nodeLives: readonly NodeLife[],
): number {
  const from = times.gapOpens(epoch);
  const to = times.epochStart(epoch) + EPOCH_MS;
  const closed = [
    ...excuses.filter((excuse) => excuse.service === service),
    ...nodeLives.map((life, index) => ({
      from: index === 0 ? 0 : (nodeLives[index - 1]?.to ?? 0),
      to: (life.readyAt ?? life.to) + CONNECTS_WITHIN_MS,
    })),
    { from: nodeLives.at(-1)?.to ?? 0, to: Number.POSITIVE_INFINITY },
  ].sort((left, right) => left.from - right.from);
  let longest = 0;
  let at = from;
  for (const span of closed) {
    longest = Math.max(longest, Math.min(span.from, to) - at);
    at = Math.max(at, span.to);
  }
  return Math.max(longest, to - at);
}

function describeAct(act: Act | undefined): string {
  return act === undefined ? 'nobody' : `act ${act.number}, ${act.command}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
