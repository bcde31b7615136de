import { isWithin } from '../../disk/mounts.ts';
import { error, type Finding, type Rule, repeated } from './rule.ts';

/** A backup beside the data it is for goes with it, and whoever reads the directory's files in order finds a stranger. */
export const backup: Rule = ({ project }) => {
  const destinations = (project.backup?.to ?? []).map((folder) => ({ folder }));
  const findings: Finding[] = [
    ...repeated(
      destinations,
      ({ folder }) => folder,
      ({ folder }, index) => error(['backup', 'to', index], `${folder} is named twice`),
    ),
  ];
  destinations.forEach(({ folder }, index) => {
    const holder = [...project.identities, ...(project.initialisation?.jobs ?? [])].find(({ data }) =>
      isWithin(folder, data),
    );
    if (holder !== undefined)
      findings.push(
        error(
          ['backup', 'to', index],
          `${folder} lies in the PoST directory of ${holder.name}: name another disk`,
        ),
      );
    if (isWithin(folder, `${project.node.data}/identities`))
      findings.push(error(['backup', 'to', index], `${folder} lies in the folder of the node's keys`));
  });
  return findings;
};
