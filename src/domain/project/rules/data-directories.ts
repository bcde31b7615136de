import { error, type Finding, type Rule, repeated } from './rule.ts';

/** Two provers on one directory: the second is refused by the node for ever; the node's files are not PoST data. */
export const dataDirectories: Rule = ({ project }) => {
  const jobs = project.initialisation?.jobs ?? [];
  const findings: Finding[] = [
    ...repeated(
      project.identities,
      ({ data }) => data,
      ({ data }, index, first) =>
        error(['identities', index, 'data'], `${data} is the directory of ${first.name} already`),
    ),
    ...repeated(
      jobs,
      ({ data }) => data,
      ({ data }, index, first) =>
        error(
          ['init', 'jobs', index, 'data'],
          `${data} is filled by ${first.name} already; jobs that share one would overwrite each other's nonce`,
        ),
    ),
  ];
  const inside = (path: string) => `${path}/`.startsWith(`${project.node.data}/`);
  project.identities.forEach(({ data }, index) => {
    if (inside(data))
      findings.push(error(['identities', index, 'data'], `${data} lies in the node's data folder`));
  });
  jobs.forEach(({ data }, index) => {
    if (inside(data))
      findings.push(error(['init', 'jobs', index, 'data'], `${data} lies in the node's data folder`));
  });
  // Joined there, the parts would be mixed with somebody else's files.
  jobs.forEach(({ into, id }, index) => {
    if (into === undefined) return;
    const path = ['init', 'jobs', index, 'into'];
    const other = jobs.find((job) => job.data === into || (job.into === into && job.id !== id));
    if (inside(into)) findings.push(error(path, `${into} lies in the node's data folder`));
    if (other !== undefined) findings.push(error(path, `${into} is filled by ${other.name} already`));
  });
  return findings;
};
