import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleProgram } from '../../e2e/support/bundle.ts';
import { root } from '../../helpers/places.ts';

/** Tools that look away: each decides by one half of the truth. They are made here and shipped nowhere. */
export const MUTANTS = {
  /** Whatever a prover says of itself, it counts as idle. */
  'ignores-status': "judgeStop({ ...facts, status: { kind: 'idle' } })",
  /** Whatever the node wants, it counts as nothing, and its word counts. */
  'ignores-post-states': "judgeStop({ ...facts, wanted: 'idle', node: 'settled' })",
} as const;

export type Mutant = keyof typeof MUTANTS;

const DECISION = join(root, 'src/domain/proving/stop-risk.ts');

/** The whole program with another decision; answers the path of its bundle. */
export function buildMutant(mutant: Mutant): Promise<string> {
  return bundleProgram('src/cli.ts', `chaos-${mutant}`, [instead(MUTANTS[mutant])]);
}

function instead(decision: string): Plugin {
  let replaced = false;
  return {
    name: 'mutant',
    setup({ onResolve, onLoad, onEnd }) {
      onResolve({ filter: /stop-risk\.ts$/ }, ({ importer, namespace }) => {
        if (namespace === 'mutant' || importer === DECISION) return undefined;
        replaced = true;
        return { path: DECISION, namespace: 'mutant' };
      });
      onLoad({ filter: /.*/, namespace: 'mutant' }, () => ({
        loader: 'ts',
        resolveDir: join(root, 'src/domain/proving'),
        contents: [
          `import { judgeStop as judgeStopRightly } from ${JSON.stringify(DECISION)};`,
          `export * from ${JSON.stringify(DECISION)};`,
          `export const judgeStop = (facts) => ${decision.replace('judgeStop', 'judgeStopRightly')};`,
        ].join('\n'),
      }));
      // A mutant that is none would pass, and nobody would know why.
      onEnd(() => {
        if (!replaced) throw new Error(`nothing imports ${DECISION}: the mutant is the tool itself`);
      });
    },
  };
}
