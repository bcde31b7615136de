import { type DoctorFinding, finding } from '../doctor/finding.ts';

/** What go-spacemesh allows between peers (spacemesh.md §9.1 hazard 16); half of it is worth a word. */
const APART_MS = 5000;

export interface ServerClock {
  readonly address: string;
  /** From its answer's `Date` header: positive when this host is behind. */
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** Servers whose time is surely more than 5 s from this host's. Which of the two is wrong `doctor` tells, who asks more. */
export function judgeClocks(clocks: readonly ServerClock[]): readonly DoctorFinding[] {
  return clocks
    .filter(({ offsetMs, uncertaintyMs }) => Math.abs(offsetMs) - uncertaintyMs > APART_MS)
    .map(({ address: subject, offsetMs }) =>
      finding('poet-clock', {
        subject,
        message: `This PoET and this host differ by ${Math.round(Math.abs(offsetMs) / 1000)} s: rounds begin and end by its clock, registration by the node's`,
        evidence: `this host is ${offsetMs > 0 ? 'behind' : 'ahead'}`,
        measured: { offsetMs: Math.round(offsetMs) },
        remedy: 'Which of them is right: smesh-compose doctor',
      }),
    );
}
