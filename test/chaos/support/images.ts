import type { ChaosEngine } from './engine.ts';

/** Two releases of each program: the stand-in, and the same under another name. */
export const NODE_IMAGES = ['smesh-sim/go-spacemesh:v1.7.6', 'smesh-sim/go-spacemesh:v1.7.7'] as const;
export const PROVER_IMAGES = ['smesh-sim/post-service:v0.8.5', 'smesh-sim/post-service:v0.8.6'] as const;

/** Brings the images to an engine that has none of them. */
export async function bringImages(engine: ChaosEngine): Promise<void> {
  await engine.load([NODE_IMAGES[0], PROVER_IMAGES[0]]);
  await engine.derive(NODE_IMAGES[0], NODE_IMAGES[1], 'v1.7.7');
  await engine.derive(PROVER_IMAGES[0], PROVER_IMAGES[1], '0.8.6');
}
