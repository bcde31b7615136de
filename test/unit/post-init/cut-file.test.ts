import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { FileStep } from '../../../src/domain/plan/steps.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { executeFileStep } from '../../../src/usecases/file-steps.ts';
import { finishInterrupted, runJournaled } from '../../../src/usecases/journal.ts';
import { tempFolder } from '../../helpers/temp.ts';

type CutStep = Extract<FileStep, { kind: 'cut-file' }>;

const ports = { files: nodeFiles, crypto: nodeCrypto };

function torn(): { readonly folder: string; readonly content: Buffer; readonly step: CutStep } {
  const folder = tempFolder();
  const content = Buffer.from(Array.from({ length: 39 }, (_, index) => index));
  const path = join(folder, 'postdata_2.bin');
  writeFileSync(path, content);
  const keep = join(folder, '.smesh', 'cut', 'post-0009-init-postdata_2.bin.39');
  return { folder, content, step: { kind: 'cut-file', path, size: 39, cutTo: 32, keep, what: 'the end' } };
}

it('takes the piece of a label off and keeps it, so that the file can be put together again', async () => {
  const { content, step } = torn();
  await executeFileStep(ports, step);
  await executeFileStep(ports, step);
  expect(statSync(step.path).size).toBe(32);
  expect(Buffer.concat([readFileSync(step.path), readFileSync(step.keep)])).toEqual(content);
});

it('leaves a file alone that has another size by now, and never takes a whole label', async () => {
  const { step } = torn();
  writeFileSync(step.path, Buffer.alloc(48));
  await expect(executeFileStep(ports, step)).rejects.toMatchObject({ code: 'data-file-changed' });
  expect(statSync(step.path).size).toBe(48);
  await expect(executeFileStep(ports, { ...step, size: 48, cutTo: 32 })).rejects.toThrow('no piece');
  expect(statSync(step.path).size).toBe(48);
});

it.each(['makeDirectory', 'writeNew', 'cut', 'removeOwn'] as const)(
  'is finished by the next command when it was killed at %s',
  async (method) => {
    const { folder, content, step } = torn();
    let dead = false;
    const files = new Proxy(nodeFiles, {
      get: (target, name) => {
        const own = target[name as keyof FilesPort];
        if (typeof own !== 'function') return own;
        return (...given: readonly unknown[]) => {
          // The journal itself is not what is killed here.
          if (name === method && !String(given[0]).includes('journal')) dead = true;
          if (dead) throw new Error('killed');
          return Reflect.apply(own as (...given: unknown[]) => unknown, target, given);
        };
      },
    });
    const act = { directory: folder, command: 'post init', at: 0, steps: [step] };
    await runJournaled({ files, crypto: nodeCrypto }, act).catch(() => undefined);
    await finishInterrupted(ports, folder);
    const size = statSync(step.path).size;
    if (size === 39) return expect(readFileSync(step.path)).toEqual(content);
    expect(size).toBe(32);
    expect(Buffer.concat([readFileSync(step.path), readFileSync(step.keep)])).toEqual(content);
    expect(readdirSync(join(folder, '.smesh', 'journal'))).not.toContain('current.json');
  },
);
