import { inspectImage } from '../../node/images.ts';
import { hasPoetInNode } from '../../node/networks.ts';
import { OWN_POET } from '../../poet/own-poet.ts';
import { error, type Finding, type Rule } from './rule.ts';

/** A PoET service of one's own: where it can be, and that nothing else has its name or its port. */
export const poetServe: Rule = ({ project }) => {
  const { ownPoet, network, node } = project;
  if (ownPoet === undefined) return [];
  const findings: Finding[] = [];
  const at = (key?: string) => ['poet', 'serve', ...(key === undefined ? [] : [key])];
  if (hasPoetInNode(network)) {
    findings.push(
      error(
        at(),
        'a private network has its PoET in the node itself, which always starts it and takes no other beside it',
      ),
    );
  }
  const named = [...project.identities, ...(project.initialisation?.jobs ?? [])];
  if (named.some(({ name }) => name === OWN_POET)) {
    findings.push(
      error(at(), `the service would be named ${OWN_POET}, and that name is taken by an identity or a job`),
    );
  }
  const taken = Object.entries(node.ports).find(([, port]) => port === ownPoet.port);
  if (taken !== undefined) {
    findings.push(error(at('port'), `${ownPoet.port} is taken by node.ports.${taken[0]} already`));
  }
  if (ownPoet.data === node.data || project.identities.some(({ data }) => data === ownPoet.data)) {
    findings.push(error(at('data'), `${ownPoet.data} holds something else already`));
  }
  findings.push(...inspectImage(ownPoet.image).map((found) => ({ ...found, path: at('image') })));
  return findings;
};
