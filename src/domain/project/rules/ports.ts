import { error, type Rule, repeated } from './rule.ts';

/** Three ports of one host. */
export const ports: Rule = ({ project }) =>
  repeated(
    Object.entries(project.node.ports),
    ([, port]) => String(port),
    ([name, port], _index, [first]) => error(['node', 'ports', name], `${port} is taken by ${first} already`),
  );
