import type { PoetInfo } from '../../doctor/poet-info.ts';
import { formatGoDuration } from '../../project/duration.ts';
import type { PoetTarget } from './target.ts';

/** What one server answered to `GET /v1/info`. */
export type TargetAnswer =
  | { readonly kind: 'answered'; readonly info: PoetInfo }
  | { readonly kind: 'silent'; readonly reason: string };

export interface AskedTarget {
  readonly address: string;
  readonly pubkey?: string;
  readonly answer: TargetAnswer;
}

export interface TargetVerdict {
  /** Each a sentence; with one of them nobody may change to these servers. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** By address, of those that were asked for it. */
  readonly pubkeys: ReadonlyMap<string, string>;
  /** Addresses whose key was not given: it is shown before anything is done. */
  readonly learnt: readonly string[];
  /** Do not answer: the node waits for each at every start. */
  readonly dead: readonly string[];
}

/**
 * Whether a node can be started with these servers: any that answers with another phase shift ends it at once (since
 * 1.7.0), another cycle gap it would not even notice (spacemesh.md §6.4), and without a key it crashes when the round ends
 * (§7.2).
 */
export function judgeTargets(target: PoetTarget, asked: readonly AskedTarget[]): TargetVerdict {
  const faults: string[] = [];
  const warnings: string[] = [];
  const pubkeys = new Map<string, string>();
  const learnt: string[] = [];
  const dead: string[] = [];
  for (const { address, pubkey, answer } of asked) {
    if (answer.kind === 'silent') {
      dead.push(address);
      if (pubkey === undefined) {
        faults.push(
          `${address} does not answer (${answer.reason}), and without its public key the node would crash at the end of the round: name its pubkey`,
        );
      } else {
        pubkeys.set(address, pubkey);
        warnings.push(
          `${address} does not answer (${answer.reason}): the node waits 9 to 18 min for it at every start, until it answers or is taken out of the list`,
        );
      }
      continue;
    }
    const { info } = answer;
    pubkeys.set(address, info.pubkey);
    if (pubkey === undefined) learnt.push(address);
    else if (pubkey !== info.pubkey) {
      faults.push(
        `${address} says that its public key is ${info.pubkey}, not ${pubkey}: it is another server than the one that is meant, or its key has changed`,
      );
    }
    if (info.phaseShift !== target.phaseShift) {
      faults.push(
        `${address} has a phase shift of ${formatGoDuration(info.phaseShift)}, not ${formatGoDuration(target.phaseShift)}: the node would end at every start`,
      );
    }
    if (info.cycleGap !== target.cycleGap) {
      faults.push(
        `${address} has a cycle gap of ${formatGoDuration(info.cycleGap)}, not ${formatGoDuration(target.cycleGap)}: the node would not notice, and ask for proofs at the wrong time`,
      );
    }
  }
  if (dead.length === asked.length) {
    const reasons = asked.map(({ answer }) => (answer.kind === 'silent' ? answer.reason : ''));
    faults.push(
      `None of these PoETs answers (${[...new Set(reasons)].join('; ')}): nothing could be registered with them`,
    );
  } else if (asked.length === 1) {
    warnings.push(
      'One PoET alone: when it is down during registration or at the end of its round, an epoch is lost',
    );
  }
  return { faults, warnings, pubkeys, learnt, dead };
}
