import { describe, expect, it } from 'vitest';
import { checkModule } from '../../../scripts/lib/boundaries.ts';

function faults(path: string, source: string): readonly string[] {
  return checkModule(path, source).map(({ line, message }) => `${line} ${message}`);
}

describe('checkModule: dependency directions', () => {
  it.each([
    [
      'domain/post/size.ts',
      "import type { FilesPort } from '../../ports/files.ts';",
      'domain may not import ports',
    ],
    ['domain/a.ts', "import { readFile } from 'node:fs/promises';", 'domain may not import node:fs'],
    ['domain/a.ts', "export * from 'dockerode';", 'domain may not import dockerode'],
    ['ports/docker.ts', "import type Dockerode from 'dockerode';", 'ports may not import dockerode'],
    ['ui/table.ts', "import { run } from '../usecases/run.ts';", 'ui may not import usecases'],
    [
      'usecases/up.ts',
      "const d = await import('../adapters/docker/index.ts');",
      'usecases may not import adapters',
    ],
    ['commands/up.ts', "export { x } from '../adapters/files/index.ts';", 'commands may not import adapters'],
    ['commands/up.ts', "import { main } from '../app.ts';", 'commands may not import app'],
    ['adapters/docker/index.ts', "import { table } from '../../ui/table.ts';", 'adapters may not import ui'],
    ['cli.ts', "import { x } from './commands/registry.ts';", 'cli may not import commands'],
    ['app.ts', "import { z } from '../scripts/z.ts';", 'imports ../scripts/z.ts, outside src'],
  ])('%s: %s', (path, source, message) => {
    expect(faults(path, source)).toEqual([`1 ${message}`]);
  });

  it('keeps one adapter out of another', () => {
    expect(faults('adapters/post-api/index.ts', "import { dial } from '../docker/client.ts';")).toEqual([
      '1 the post-api adapter may not import the docker adapter: app.ts brings them together',
    ]);
    expect(faults('adapters/docker/index.ts', "import { dial } from './client.ts';")).toEqual([]);
  });

  it('refuses dynamic imports that the bundle would answer differently or not at all', () => {
    expect(faults('adapters/docker/index.ts', "const D = await import('dockerode');")[0]).toContain(
      'dynamically',
    );
    expect(faults('app.ts', 'const c = await import(name);')[0]).toContain('computed path');
    expect(faults('adapters/sqlite/index.ts', "const { default: l } = await import('libsql');")).toEqual([]);
    expect(faults('adapters/sqlite/index.ts', "const n: string = 'libsql'; await import(n);")).toEqual([]);
    expect(faults('app.ts', "const n: string = 'dockerode'; await import(n);")[0]).toContain('dynamically');
  });

  it('refuses a folder that is no layer', () => {
    expect(faults('helpers/x.ts', '')).toEqual(['1 helpers is no layer of the design']);
  });

  it('lets through what the design allows', () => {
    const command = "import { up } from '../usecases/up.ts'; import type { Ports } from '../ports/index.ts';";
    expect(faults('commands/up.ts', command)).toEqual([]);
    expect(
      faults('domain/project/read.ts', "import { z } from 'zod'; import { x } from '../errors.ts';"),
    ).toEqual([]);
    expect(faults('domain/a.ts', "import { blake3 } from '@noble/hashes/blake3.js';")).toEqual([]);
    expect(
      faults('adapters/files/index.ts', "import { open } from 'node:fs/promises'; process.exit();"),
    ).toEqual([]);
  });
});

describe('checkModule: purity', () => {
  it.each([
    ['const t = Date.now();', 'Date.now'],
    ['const t = new Date();', 'new Date()'],
    ['const r = Math.random();', 'Math.random'],
    ['const later = [1].map(Math.random);', 'Math.random'],
    ["console.log('x');", 'console'],
    ['const home = process.env.HOME;', 'process'],
    ['const host = process as unknown;', 'process'],
    ['const all = { process };', 'process'],
    ['setTimeout(() => {}, 1);', 'setTimeout'],
    ["const r = await fetch('http://127.0.0.1');", 'fetch'],
    ['const here = import.meta.url;', 'import.meta'],
  ])('domain may not: %s', (source, what) => {
    expect(faults('domain/a.ts', `\n${source}`)).toEqual([
      `2 domain may not use ${what}: it comes in through a port or an argument`,
    ]);
  });

  it('knows a use from a name, a text and a comment', () => {
    const source = `
      // Date.now() would make this depend on the moment
      interface Step { readonly process: string; fetch(url: string): void }
      const step = { process: 'post', crypto: 1 };
      export const text = \`\${step.process} console.log\`;
      export const when = (clock: { now(): number }) => new Date(clock.now());
      export function prove(process: { readonly id: string }) { return process.id; }
    `;
    expect(faults('domain/a.ts', source)).toEqual([]);
  });

  it('lets adapters do what the others may not', () => {
    expect(faults('adapters/clock/index.ts', 'export const now = () => Date.now();')).toEqual([]);
  });
});
