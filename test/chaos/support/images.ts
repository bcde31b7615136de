import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NODE_IMAGE, PROVER_IMAGE } from '../../engine/support/project.ts';
import { root } from '../../helpers/places.ts';
import type { ChaosEngine } from './engine.ts';

/** Releases that an engine can pull, oldest first, from a registry in its own network. */
export interface ChaosImages {
  readonly nodes: readonly string[];
  readonly provers: readonly string[];
  readonly stop: () => void;
}

/** Brings the stand-ins to an engine that has nothing, and a registry with further releases of them. */
export async function bringImages(engine: ChaosEngine): Promise<ChaosImages> {
  await engine.load([NODE_IMAGE, PROVER_IMAGE]);
  const { program, args } = engine.inside(
    join(root, 'node_modules/.bin/tsx'),
    join(root, 'test/chaos/support/serve-releases.ts'),
    join(engine.folder, 'registry'),
  );
  const child = spawn(program, args, { cwd: root, env: engine.env, stdio: ['pipe', 'pipe', 'inherit'] });
  const names = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the registry ended with ${code}`)));
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('\n')) resolve(text);
    });
  });
  return { ...JSON.parse(names), stop: () => child.stdin.end() };
}
