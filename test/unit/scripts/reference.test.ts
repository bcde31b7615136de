import { describe, expect, it } from 'vitest';
import { renderReference } from '../../../scripts/lib/reference.ts';
import { ExitCode } from '../../../src/domain/errors.ts';

const scan = {
  name: 'scan',
  summary: 'find PoST directories',
  description: 'Reads only.',
  arguments: [{ name: '[roots...]', summary: 'where to look' }],
  options: [
    { flags: '--depth <n>', summary: 'levels below a root', default: '6' },
    { flags: '--sort <by>', summary: 'disk|size', choices: ['disk', 'size'], default: 'disk' },
    { flags: '--all', summary: 'also <hidden> ones', default: false },
  ],
  examples: [{ command: 'smesh-compose scan /mnt', summary: 'all disks' }],
};

describe('renderReference', () => {
  const text = renderReference(
    [scan, { name: 'down', summary: 'stop' }],
    [{ flags: '--json', summary: 'JSON' }],
  );

  it('shows how a command is called, its arguments, options with choices and defaults, and its examples', () => {
    expect(text).toContain('    smesh-compose scan [roots...] [options]\n');
    expect(text).toContain('| `[roots...]` | where to look |');
    expect(text).toContain('| `--depth <n>` | levels below a root (default `6`) |');
    expect(text).toContain('| `--sort <by>` | disk\\|size (one of `disk`, `size`; default `disk`) |');
    expect(text).toContain('| `--all` | also &lt;hidden> ones |');
    expect(text).toContain('    smesh-compose scan /mnt\n        all disks');
  });

  it('leaves out what a command has not', () => {
    expect(text).toContain('## down\n\nstop.\n\n    smesh-compose down\n');
    expect(text.endsWith('smesh-compose down\n')).toBe(true);
  });

  it('lists every command, the options of all and every exit code', () => {
    expect(text).toContain('| [scan](#scan) | find PoST directories |');
    expect(text).toContain('| `--json` | JSON |');
    for (const exitCode of Object.values(ExitCode)) expect(text).toContain(`\n| ${exitCode} | `);
  });
});
