/** Rounds in time (spacemesh.md §7.1), and what becomes of them: members, a tree that is begun in time or never, a proof. */
import { note } from '../common/ledger.ts';
import type { Knobs } from './knobs.ts';
import { log } from './log.ts';
import type { Settings } from './settings.ts';
import { digest, type State } from './state.ts';

/** A start that was missed by more (milliseconds) is missed for good; less is a busy machine. */
const startTolerance = 3000;
const longestTimer = 2 ** 30;

export type Joining =
  | { readonly kind: 'joined'; readonly round: number; readonly end: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'full' };

export class Rounds {
  readonly #settings: Settings;
  readonly #state: State;
  readonly #pubkey: Buffer;
  readonly #knobs: () => Knobs;
  #open: number;

  constructor(settings: Settings, state: State, pubkey: Buffer, knobs: () => Knobs) {
    this.#settings = settings;
    this.#state = state;
    this.#pubkey = pubkey;
    this.#knobs = knobs;
    this.#open = this.#openAt(Date.now());
    log('INFO', '', 'opened round', { epoch: this.#open, members: state.members(this.#open).length });
  }

  #openAt(now: number): number {
    const { genesis, phaseShift, epoch } = this.#settings;
    return now - genesis < phaseShift ? 0 : Math.floor((now - genesis - phaseShift) / epoch) + 1;
  }

  start(round: number): number {
    const { genesis, phaseShift, epoch } = this.#settings;
    return genesis + phaseShift + round * epoch;
  }

  end(round: number): number {
    return this.start(round + 1) - this.#settings.cycleGap;
  }

  /** Goes on with what was begun, and begins each round at its start from now on. */
  run(): void {
    const running = this.#open - 1;
    if (running >= 0 && this.#state.begunRounds().includes(running)) {
      log('INFO', 'registration', 'found round in progress, scheduling it', { epoch: running });
    }
    const wait = Math.max(0, this.start(this.#open) - Date.now());
    log('INFO', 'registration', 'waiting for execution to start', {
      'wait time': `${wait / 1000}s`,
      epoch: this.#open,
    });
    this.#tick();
  }

  #tick(): void {
    const now = Date.now();
    const due = this.start(this.#open);
    if (now >= due) {
      this.#close(now - due);
      this.#open = this.#openAt(now);
      log('INFO', 'registration', 'opened round', { epoch: this.#open });
    }
    this.#prove();
    const next = Math.min(
      this.start(this.#open),
      ...this.#unproven().map((round) => this.end(round) + this.#knobs().proofDelay),
    );
    // A proof that is kept back by a misfortune is looked for every now and then.
    const wait = Math.min(Math.max(next - Date.now(), 50), longestTimer);
    setTimeout(() => this.#tick(), wait);
  }

  #close(late: number): void {
    const members = this.#state.members(this.#open).length;
    log('INFO', 'registration', 'closing round', { epoch: this.#open, members });
    if (!this.#settings.works) return;
    if (late > startTolerance) {
      // A tree that starts late would be shorter than everybody else's: poet does not begin it at all.
      log('WARN', 'worker', 'round start was missed, not executing it', { epoch: this.#open });
      return;
    }
    this.#state.begin(this.#open);
    note('poet round begun', { round: this.#open, members });
  }

  #unproven(): readonly number[] {
    return this.#state.begunRounds().filter((round) => this.#state.proof(String(round)) === undefined);
  }

  #prove(): void {
    const { ticks, proofDelay } = this.#knobs();
    for (const round of this.#unproven()) {
      if (Date.now() < this.end(round) + proofDelay) continue;
      const members = this.#state.members(round).map(({ challenge }) => challenge);
      const root = digest('poet tree', this.#pubkey, String(round), ...members);
      const leaf = (index: number) => digest('leaf', root, String(index)).toString('base64');
      const leaves = ticks ?? 45_000 + (root.readUInt16LE(0) % 2000);
      this.#state.setProof(round, {
        root: root.toString('base64'),
        provenLeaves: [leaf(0), leaf(1)],
        proofNodes: [leaf(2), leaf(3)],
        members,
        leaves,
      });
      log('INFO', 'registration.on-proof', 'proof saved in DB', {
        epoch: round,
        members: members.length,
        leaves,
      });
      note('poet proof', { round, leaves });
    }
  }

  /** Latest round that takes members, and its end. */
  get open(): { readonly round: number; readonly end: number } {
    const round = this.#openAt(Date.now());
    return { round, end: this.end(round) };
  }

  /** One challenge per node and round; the same one again is as good as the first time. */
  join(id: Buffer, challenge: Buffer): Joining {
    const { round, end } = this.open;
    const members = this.#state.members(round);
    const member = { id: id.toString('hex'), challenge: challenge.toString('base64') };
    const present = members.find((one) => one.id === member.id);
    if (present !== undefined) {
      return present.challenge === member.challenge ? { kind: 'joined', round, end } : { kind: 'conflict' };
    }
    if (members.length >= this.#settings.maxMembers) return { kind: 'full' };
    this.#state.setMembers(round, [...members, member]);
    note('poet member', { round, id: member.id });
    return { kind: 'joined', round, end };
  }
}
