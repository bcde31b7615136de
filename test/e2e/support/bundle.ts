import { join } from 'node:path';
import process from 'node:process';
import { build, type Plugin } from 'esbuild';
import { root } from '../../helpers/places.ts';

/**
 * Bundles a program of the suites as the real one is bundled, into `build/test/`, and answers its path. Started a
 * hundred times it must not be translated a hundred times.
 */
export async function bundleProgram(
  source: string,
  name: string,
  plugins: readonly Plugin[] = [],
): Promise<string> {
  const outdir = join(root, 'build/test', name);
  await build({
    absWorkingDir: root,
    entryPoints: { [name]: source },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: `node${process.versions.node}`,
    format: 'esm',
    external: ['libsql'],
    alias: {
      ssh2: './src/adapters/docker/ssh2-stub.ts',
      'cpu-features': './src/adapters/docker/ssh2-stub.ts',
    },
    banner: {
      js: "import { createRequire as smeshCreateRequire } from 'node:module'; const require = smeshCreateRequire(import.meta.url);",
    },
    plugins: [...plugins],
    logLevel: 'error',
  });
  return join(outdir, `${name}.mjs`);
}
