import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { TestReleases } from '../../engine/support/releases.ts';

/**
 * Serves releases of both programs from a registry, until standard input ends. A program of its own: the registry has to
 * listen where the engine's network is. Says the names of the images, oldest first, in one line of JSON.
 */
const NODES = ['v1.7.6', 'v1.7.7', 'v1.7.8', 'v1.7.9', 'v1.7.10', 'v1.7.11', 'v1.7.12'];
const PROVERS = ['v0.8.5', 'v0.8.8'];

const [folder = '/nowhere'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const releases = await TestReleases.serve(folder, [
  ...NODES.map((tag) => ({ of: 'node' as const, tag })),
  ...PROVERS.map((tag) => ({ of: 'prover' as const, tag })),
]);
const images = {
  nodes: NODES.map((tag) => releases.node(tag)),
  provers: PROVERS.map((tag) => releases.prover(tag)),
};
process.stdout.write(`${JSON.stringify(images)}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
