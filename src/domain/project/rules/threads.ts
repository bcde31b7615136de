import { error, type Finding, type Rule } from './rule.ts';

/** A post-service gets a number of threads or a list of cores, once each (spacemesh.md §14.1: a flag given twice is fatal). */
export const threads: Rule = ({ written }) => {
  const findings: Finding[] = [];
  const check = (path: readonly PropertyKey[], settings: { threads?: unknown; pinnedCores?: unknown }) => {
    const cores = settings.pinnedCores;
    if (settings.threads !== undefined && cores !== undefined) {
      findings.push(
        error(
          [...path, 'pinnedCores'],
          'pinned cores already say how many threads there are; drop one of the two',
        ),
      );
    }
    if (Array.isArray(cores) && new Set(cores).size !== cores.length) {
      findings.push(error([...path, 'pinnedCores'], 'names a core twice'));
    }
  };
  check(['defaults'], written.defaults ?? {});
  written.identities.forEach((identity, index) => {
    check(['identities', index], identity);
  });
  return findings;
};
