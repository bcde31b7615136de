import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/places.ts';
import { requireBuiltCli, runCli } from '../helpers/run-cli.ts';

describe('the built program', () => {
  it('answers --version with the version of the package and nothing else', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(await runCli(['--version'])).toEqual({
      code: 0,
      signal: null,
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  it('lists every command in its help, on stdout', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const verb of ['scan', 'init', 'generate', 'plan', 'up', 'down', 'status', 'logs', 'rehearse']) {
      expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
    }
  });

  it('ends without a word when the reader of its help has gone', () => {
    // The reader has ended before the help is written; what else is said goes where the test reads.
    const script = 'exec 3>&1; { sleep 1; "$0" "$1" poet --help 2>&3; echo "exit $?" >&3; } | true';
    const said = execFileSync('bash', ['-c', script, process.execPath, requireBuiltCli()], {
      encoding: 'utf8',
    });
    expect(said).toBe('exit 0\n');
  });

  it('exits with 2 on a command that does not exist, and suggests the one that does', async () => {
    const { code, stdout, stderr } = await runCli(['statsu']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('status');
  });

  it('reports a wrong command line as JSON when JSON was asked for', async () => {
    const { code, stdout, stderr } = await runCli(['status', '--json', '--no-such-option']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code: 'usage', exitCode: 2 } });
  });
});
