import { inspectImage } from '../../node/images.ts';
import type { Finding, Rule } from './rule.ts';

/** No image that moves, none known to be broken (design §5). */
export const images: Rule = ({ written }) => {
  const findings: Finding[] = [];
  const check = (path: readonly PropertyKey[], image: string | undefined) => {
    if (image === undefined) return;
    findings.push(...inspectImage(image).map((finding) => ({ ...finding, path })));
  };
  check(['node', 'image'], written.node?.image);
  check(['defaults', 'image'], written.defaults?.image);
  check(['init', 'image'], written.init?.image);
  written.identities.forEach((identity, index) => {
    check(['identities', index, 'image'], identity.image);
  });
  return findings;
};
