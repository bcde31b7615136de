import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { root } from '../../helpers/places.ts';
import { cleanEnvironment } from '../../helpers/run-cli.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** A run of vitest on one sample file, and what it ends with. */
async function closingLine(sample: string): Promise<string | undefined> {
  const folder = tempFolder('closing');
  mkdirSync(join(folder, 'test'));
  const reporter = JSON.stringify(join(root, 'test/helpers/closing-line-reporter.ts'));
  writeFileSync(
    join(folder, 'test/sample.test.ts'),
    `import { beforeAll, describe, expect, it } from 'vitest';\n${sample}`,
  );
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { ClosingLineReporter } from ${reporter};
     const tally = ${JSON.stringify(join(folder, 'tally.json'))};
     export default { test: { reporters: ['default', new ClosingLineReporter(tally)] } };`,
  );
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const env = cleanEnvironment();
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const run = await promisify(execFile)(process.execPath, [vitest, 'run', '--root', folder], {
    cwd: folder,
    env,
  }).catch((failed: { stdout: string }) => failed);
  return run.stdout.trimEnd().split('\n').at(-1);
}

describe('the closing line of a run', { timeout: 60_000 }, () => {
  it('counts what passed, failed and was skipped, alone on the last line', async () => {
    const sample =
      "it('a', () => {}); it('b', () => expect(1).toBe(2)); it.skip('c', () => {}); it('d', () => {});";
    expect(await closingLine(sample)).toBe('2 passed, 1 failed, 1 skipped');
  });

  it('counts a hook that threw as a failure although its tests never ran', async () => {
    const sample =
      "describe('x', () => { beforeAll(() => { throw new Error('no engine'); }); it('a', () => {}); });";
    expect(await closingLine(sample)).toMatch(/^0 passed, 1 failed/);
  });

  it('counts a file that does not load as a failure', async () => {
    expect(await closingLine("throw new Error('broken');")).toBe('0 passed, 1 failed, 0 skipped');
  });
});
