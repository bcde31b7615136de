import { error, type Rule } from './rule.ts';

/** A Linux bridge has 1024 ports; the node, the bridge itself and a job or two need some. */
const MOST_PROVERS = 1000;

/** All containers of a project share one bridge network (scenario S16). */
export const size: Rule = ({ project }) => {
  const { identities, node } = project;
  if (identities.length > MOST_PROVERS) {
    return [
      error(
        ['identities'],
        `${identities.length} identities; one Docker network carries about ${MOST_PROVERS}, so make several projects`,
      ),
    ];
  }
  const bits = node.subnet === undefined ? undefined : Number(node.subnet.split('/')[1]);
  const addresses = bits === undefined ? Number.POSITIVE_INFINITY : 2 ** (32 - bits) - 3;
  if (addresses < identities.length + 1) {
    return [
      error(
        ['node', 'subnet'],
        `${node.subnet} has ${addresses} addresses for ${identities.length + 1} containers`,
      ),
    ];
  }
  return [];
};
