import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { root } from '../../helpers/places.ts';
import { tempFolder } from '../../helpers/temp.ts';

/** Runs the script with these programs before all others, an engine that knows the stand-in's image, and an empty cache. */
function build(programs: Readonly<Record<string, string>>) {
  const bin = tempFolder('bin');
  const all = { docker: 'case "$*" in *pocl*) exit 1;; esac; echo sha256:1', ...programs };
  for (const [name, text] of Object.entries(all))
    writeFileSync(join(bin, name), `#!/bin/bash\necho "${name} $*" >>'${bin}/calls'\n${text}\n`, {
      mode: 0o755,
    });
  const env = { HOME: bin, XDG_CACHE_HOME: join(bin, 'cache'), PATH: `${bin}:/usr/bin:/bin` };
  const script = join(root, 'scripts/build-pocl-image.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  return { status, stderr, calls: readFileSync(join(bin, 'calls'), 'utf8') };
}

const URIS = `*--print-uris*) echo "'http://deb/pocl.deb' pocl-opencl-icd_3_amd64.deb 1 x";;`;

describe('the image with pocl', () => {
  it('where the mirror has newer packages than the lists here: fetches the lists and asks again', () => {
    const { status, stderr, calls } = build({
      'apt-get': `case "$*" in ${URIS} *update*) touch "$HOME/new";; *download*) [ -e "$HOME/new" ] || { echo "E: 404 Not Found" >&2; exit 100; };; esac`,
      'dpkg-deb': 'exit 0',
      tar: 'echo "tar was reached" >&2; exit 1',
    });
    expect(calls.match(/^apt-get .*\b(update|download)\b/gm)).toHaveLength(3);
    expect(stderr).toContain('tar was reached');
    expect(status).toBe(1);
  });

  it('without a network says in words what is lacking, and shows no stack', () => {
    const { status, stderr } = build({
      'apt-get': `case "$*" in ${URIS} *) echo "E: Failed to fetch http://deb/pocl.deb  Could not resolve 'deb'" >&2; exit 100;; esac`,
    });
    expect(status).toBe(1);
    expect(stderr).toContain('cannot be fetched');
    expect(stderr).toContain("Could not resolve 'deb'");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
