import type { JobState, RefusalCode } from './job-state.ts';

export type Refusal = Extract<JobState, { readonly kind: 'refused' }>;

/** What to type when what was in the way is out of it. */
export const THEN_AGAIN = 'then: smesh-compose post init --resume';

export function refuse(code: RefusalCode, message: string, hint: string): Refusal {
  return { kind: 'refused', code, message, hint };
}
