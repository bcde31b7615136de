import type { Identity } from '../project/types.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { GIB, gibibytes } from './words.ts';

/** Peak of one proof, measured (spacemesh.md §14.1); with a remote k2pow nothing of it is needed here (operators.md d.5). */
const PROOF = { fast: 2.3 * GIB, light: 0.26 * GIB } as const;

/** What go-spacemesh and the system want for themselves on a small host; provers must not count on it. */
const RESERVED = 2 * GIB;

type Needing = Pick<Identity, 'name' | 'randomx' | 'remoteK2pow'>;

/**
 * Compares what all proofs at once would take with what the engine has (S25). That they wait for each other is for the
 * schedule or a person to see to, so too little for all is a warning and too little for one an error.
 */
export function judgeMemory(identities: readonly Needing[], totalBytes: number): readonly DoctorFinding[] {
  const needs = identities
    .map(({ randomx, remoteK2pow }) => (remoteK2pow === undefined ? PROOF[randomx] : 0))
    .sort((left, right) => right - left);
  const all = needs.reduce((sum, need) => sum + need, 0);
  const free = Math.max(totalBytes - RESERVED, 0);
  let used = 0;
  const fitting = needs.filter((need) => {
    used += need;
    return used <= free;
  }).length;
  const evidence = `${needs.length} proofs take ${gibibytes(all)}, ${gibibytes(totalBytes)} of memory less ${gibibytes(RESERVED)} for node and system`;
  const measured = {
    proofs: needs.length,
    neededBytes: Math.round(all),
    totalBytes,
    reservedBytes: RESERVED,
    fitting,
  };
  if (fitting === needs.length) {
    return [finding('memory-ok', { message: 'All proofs at once fit into memory', evidence, measured })];
  }
  if (fitting === 0) {
    return [
      finding('memory-too-small', {
        message:
          'Not even one proof fits into memory: provers, or the node, would be killed in the cycle gap',
        evidence,
        measured,
        remedy:
          'Set randomx: light under defaults in smesh.yaml (much slower), use remoteK2pow, or add memory',
      }),
    ];
  }
  return [
    finding('memory-short', {
      message: `Not all proofs at once fit into memory: ${fitting} of ${needs.length} at a time do`,
      evidence,
      measured,
      remedy: 'Let fewer prove at a time, set randomx: light for some, or use remoteK2pow',
    }),
  ];
}
