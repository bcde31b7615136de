import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { adoptProject } from '../../../src/domain/adopt/adopt-project.ts';
import { programOfService } from '../../../src/domain/adopt/from-compose.ts';
import { readNode } from '../../../src/domain/adopt/node.ts';
import { readProver } from '../../../src/domain/adopt/prover.ts';
import { foundRole } from '../../../src/domain/adopt/role.ts';
import { nodeConfigText } from '../../../src/domain/node/config.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import {
  composeOf,
  EXAMPLE_DIRECTORY,
  EXAMPLE_PROJECTS,
  exampleProject,
} from '../../fixtures/example-projects.ts';

/** What this tool writes for a project, read as if somebody had written it by hand. */
async function adoptOwnOutput(text: string) {
  const project = exampleProject(text);
  const compose = parse(await composeOf(text), { merge: true, maxAliasCount: -1 });
  const programs = Object.entries(compose.services).map(([name, definition]) =>
    programOfService({
      name,
      project: compose.name,
      definition: definition as Record<string, unknown>,
      file: 'compose.yaml',
      directory: EXAMPLE_DIRECTORY,
    }),
  );
  const node = programs.find((program) => foundRole(program) === 'node');
  if (node === undefined) throw new Error('no node');
  const { reading, faults } = readNode(node, nodeConfigText(project), undefined);
  if (reading === undefined) throw new Error(faults.join());
  const provers = programs.filter((program) => foundRole(program) === 'prover').map(readProver);
  const adoption = adoptProject({
    directory: EXAMPLE_DIRECTORY,
    source: 'compose.yaml',
    node,
    reading,
    provers: provers.map((prover) => {
      const identity = project.identities.find(({ name }) => name === prover.program.name);
      const [path = ''] = prover.directories;
      return identity === undefined
        ? { prover, look: { kind: 'none', why: 'nobody' } }
        : { prover, look: { kind: 'identity', path, smesherId: identity.id } };
    }),
    keys: project.identities.map(({ id, name }) => ({ file: `${name}.key`, smesherId: id })),
  });
  return {
    project,
    adoption,
    adopted: requireProject(adoption.text, { directory: EXAMPLE_DIRECTORY }).project,
  };
}

/** What runs; who it runs as is the owner of the files in the one, and said in the other. */
const whatRuns = ({ name, network, coinbase, node, poet, identities }: Project) => ({
  ...{ name, network, coinbase, poet },
  node: { ...node, user: undefined, subnet: undefined },
  identities: identities.map(({ disk: _, user: __, ...identity }) => identity),
});

describe('every example of this tool, adopted as if it were hand-written', () => {
  it.each(Object.entries(EXAMPLE_PROJECTS))('%s gives the same model', async (_, text) => {
    const { project, adoption, adopted } = await adoptOwnOutput(text);
    expect(whatRuns(adopted)).toEqual(whatRuns(project));
    expect(adoption.warnings).toEqual([]);
    // Nothing of a prover is beyond smesh.yaml, but what every prover here has.
    const odd = adoption.notExpressible.filter(
      ({ key }) =>
        !/^(labels|logging|healthcheck|stop_grace_period|oom_score_adj|tmpfs|api\.privateservices|main\.filelock)$/.test(
          key,
        ),
    );
    expect(odd).toEqual([]);
  });
});
