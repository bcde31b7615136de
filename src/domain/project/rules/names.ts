import { RESERVED_NAMES } from '../name.ts';
import { error, type Finding, type Rule, repeated } from './rule.ts';

interface Named {
  readonly name: string;
  readonly path: readonly PropertyKey[];
}

/** Service names are taken once, and a retired one goes to nobody else: logs and history would mix two identities. */
export const names: Rule = ({ project }) => {
  const named: Named[] = [
    ...project.identities.map(({ name }, index) => ({ name, path: ['identities', index, 'name'] })),
    ...(project.initialisation?.jobs ?? []).map(({ name }, index) => ({
      name,
      path: ['init', 'jobs', index, 'name'],
    })),
  ];
  const retired = new Map(project.retired.map(({ name, id }) => [name, id]));
  const findings: Finding[] = [
    ...repeated(
      named,
      ({ name }) => name,
      ({ name, path }) => error(path, `${name} is the name of another service already`),
    ),
    ...repeated(
      project.retired,
      ({ name }) => name,
      ({ name }, index) => error(['retired', index, 'name'], `${name} stands here twice`),
    ),
  ];
  for (const { name, path } of named) {
    if (RESERVED_NAMES.includes(name))
      findings.push(error(path, `${name} is the name of the node's own service`));
  }
  project.identities.forEach(({ id, name }, index) => {
    const owner = retired.get(name);
    if (owner !== undefined && owner !== id) {
      findings.push(
        error(
          ['identities', index, 'name'],
          `${name} belonged to smesher ${owner.slice(0, 8)}, which was removed; take a name that was never used`,
        ),
      );
    }
  });
  return findings;
};
