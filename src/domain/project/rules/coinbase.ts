import { checkCoinbase } from '../../node/coinbase.ts';
import { error, type Rule } from './rule.ts';

/** The node lingers for half a minute on a bad one before it dies, and never smeshes on an empty one (spacemesh.md §14.2). */
export const coinbase: Rule = ({ project }) => {
  const check = checkCoinbase(project.coinbase, project.network);
  return check.ok ? [] : [error(['coinbase'], `${JSON.stringify(project.coinbase)} ${check.reason}`)];
};
