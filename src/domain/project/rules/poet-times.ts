import { formatGoDuration } from '../duration.ts';
import { error, type Finding, type Rule } from './rule.ts';

/** The rhythm must fit the epoch (spacemesh.md §7.1), and the search for a positioning ATX the grace period (§1.2). */
export const poetTimes: Rule = ({ project }) => {
  const { poet, network } = project;
  const epoch = network.layerSeconds * network.layersPerEpoch;
  const findings: Finding[] = [];
  const mustBeBelow = (
    key: 'phaseShift' | 'cycleGap' | 'gracePeriod' | 'positioningAtxTimeout',
    limit: number,
    of: string,
  ) => {
    if (poet[key] >= limit) {
      findings.push(
        error(
          ['poet', key],
          `${formatGoDuration(poet[key])} must be shorter than ${of} (${formatGoDuration(limit)})`,
        ),
      );
    }
  };
  mustBeBelow('phaseShift', epoch, 'an epoch');
  mustBeBelow('cycleGap', epoch, 'an epoch');
  mustBeBelow('gracePeriod', poet.cycleGap, 'the cycle gap');
  mustBeBelow('positioningAtxTimeout', poet.gracePeriod, 'the grace period');
  return findings;
};
