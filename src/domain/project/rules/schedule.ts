import { type Rule, warning } from './rule.ts';

/** The key is reserved: read without complaint, but nobody should think that it works. */
export const schedule: Rule = ({ written }) =>
  written.schedule === undefined ? [] : [warning(['schedule'], 'has no effect in this release')];
