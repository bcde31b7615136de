import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createGpu } from '../../src/adapters/gpu/index.ts';
import type { GpuPort } from '../../src/ports/gpu.ts';

export interface PlantedHost {
  readonly root: string;
  /** Folder of its tools, to be the whole PATH. */
  readonly bin: string;
}

const folder = new URL('../fixtures/gpu-hosts/', import.meta.url);

/**
 * Lays a host of test/fixtures/gpu-hosts out as real files, links, nodes and programs.
 *
 * @param change put in place of something in the text
 */
export function plantHost(
  name: string,
  root: string,
  change: readonly [from: string, to: string] = ['', ''],
): PlantedHost {
  const text = readFileSync(new URL(`${name}.txt`, folder), 'utf8');
  const lines = (change[0] === '' ? text : text.replaceAll(...change)).split('\n');
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const block = () => {
    const end = lines.indexOf('.');
    return lines
      .splice(0, end + 1)
      .slice(0, -1)
      .map((line) => `${line}\n`)
      .join('');
  };
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, tool, code] = /^tool (\S+) (\d+|hangs)/.exec(line) ?? [];
    const [, path = '', kind, value = ''] = /^(\S+) (=|->|:|<<) ?(.*)$/.exec(line) ?? [];
    if (tool !== undefined) plantTool(join(bin, tool), code ?? '0', code === 'hangs' ? '' : block());
    else if (kind === '=') write(path, `${value}\n`);
    else if (kind === '<<') write(path, block());
    else if (kind === '->') {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      symlinkSync(value, join(root, path));
    } else if (kind === ':') {
      const [mode = '', uid, gid] = value.split(/[ :]/);
      write(path, '');
      chownSync(join(root, path), Number(uid), Number(gid));
      chmodSync(join(root, path), Number.parseInt(mode, 8));
    } else throw new Error(`${name}: ${line}`);
  }
  return { root, bin };
}

/** With an absolute interpreter and builtins only: there is nothing else in the PATH. */
function plantTool(path: string, code: string, output: string): void {
  const body = code === 'hangs' ? 'exec /bin/sleep 600' : `printf '%s' ${quoted(output)}\nexit ${code}`;
  writeFileSync(path, `#!/bin/bash\n${body}\n`);
  chmodSync(path, 0o755);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The adapter over a planted host; only its own tools are found. */
export function gpuPortOf({ root, bin }: PlantedHost, toolMs = 5000): GpuPort {
  return createGpu({ root, env: { PATH: bin }, toolMs });
}
