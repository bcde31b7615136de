import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programOfDockerRun } from '../../../src/domain/adopt/docker-run.ts';
import type { FoundProgram } from '../../../src/domain/adopt/found.ts';
import { programOfService } from '../../../src/domain/adopt/from-compose.ts';
import { readScheduler } from '../../../src/domain/adopt/from-scheduler.ts';
import { leftoversOf } from '../../../src/domain/adopt/leftovers.ts';
import { readNode } from '../../../src/domain/adopt/node.ts';
import { proverSettings, readProver } from '../../../src/domain/adopt/prover.ts';
import { foundRole } from '../../../src/domain/adopt/role.ts';
import { shellCommands } from '../../../src/domain/adopt/words.ts';
import { MAINNET } from '../../../src/domain/node/networks.ts';

/** Words that mean something here, so that the odd values get somewhere. */
const word = fc.oneof(
  fc.constantFrom(
    '--dir',
    '--address',
    '-d',
    '/post',
    'http://n:9094',
    '--nonces',
    '-c',
    '--config',
    '',
    '$',
    '${A',
    '"',
  ),
  fc.constantFrom(
    'post-service',
    'go-spacemesh',
    '--threads=',
    '--pinned-cores=1,x',
    '--preset',
    'sh',
    '-c',
    '&&',
    '#',
  ),
  fc.string({ maxLength: 12 }),
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), word, fc.array(word, { maxLength: 8 }));
const keys = [
  'image',
  'command',
  'entrypoint',
  'environment',
  'volumes',
  'ports',
  'user',
  'mem_limit',
  'deploy',
  'network_mode',
];
const definition = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string({ maxLength: 8 })), value, {
  maxKeys: 8,
});

/** Everything that is done with a program that was found, whatever it is. */
function use(program: FoundProgram, config: unknown): void {
  expect(['node', 'prover', 'scheduler', 'other']).toContain(foundRole(program));
  leftoversOf(program);
  const { settings } = proverSettings(readProver(program), MAINNET, () => false);
  expect(Number(settings.nonces ?? 16) % 16).toBe(0);
  const { reading, faults } = readNode(program, JSON.stringify(config), undefined);
  expect(reading === undefined).toBe(faults.length > 0);
}

describe('whatever stands in files of other people', () => {
  it('a Compose service is read or left, never a crash', () => {
    fc.assert(
      fc.property(definition, fc.jsonValue({ maxDepth: 4 }), (one, config) => {
        use(
          programOfService({ name: 'a', project: 'p', definition: one, file: 'f', directory: '/srv' }),
          config,
        );
      }),
      { numRuns: 400 },
    );
  });

  it('command lines and `docker run`, too', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), fc.string(), (words, text) => {
        shellCommands(text);
        shellCommands(words.join(' '));
        const program = programOfDockerRun(['docker', 'run', ...words], { file: 'f', directory: '/srv' });
        if (program !== undefined) use(program, {});
      }),
      { numRuns: 400 },
    );
  });

  it('and so is a scheduler of any shape', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue({ maxDepth: 5 }).map((one) => JSON.stringify(one)),
          fc.string(),
        ),
        (text) => {
          for (const program of readScheduler({ text, file: 'f', directory: '/srv/x' }).programs)
            use(program, {});
        },
      ),
      { numRuns: 400 },
    );
  });
});
