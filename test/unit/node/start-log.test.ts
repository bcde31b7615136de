import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { lastWords, readStartSign } from '../../../src/domain/node/start-log.ts';

const recordings = process.env['SMESH_RECORDINGS'];
const recorded = (name: string) => (recordings === undefined ? '' : join(recordings, name));

describe('readStartSign', () => {
  it('tells a failed start of the node, also while it lingers', () => {
    const line =
      '2026-11-20T12:00:00.000Z\tERROR\tnode\tfailed to start App\t{"errmsg": "split local listener: address nope: missing port in address", "name": ""}';
    expect(readStartSign(line)).toEqual({
      kind: 'failed',
      reason: 'split local listener: address nope: missing port in address',
    });
    expect(readStartSign('x\tFATAL\tnode\tNone of the poets listed in the config matches\t{}')).toMatchObject(
      {
        kind: 'failed',
      },
    );
  });

  it('says nothing of other errors: a node logs many and goes on', () => {
    expect(readStartSign('x\tERROR\tnode.atxBuilder\tfailed to build initial post\t{}')).toBeUndefined();
    expect(readStartSign('x\tINFO\tnode\tError handling is fine')).toBeUndefined();
  });
});

describe('lastWords', () => {
  it('puts causes behind the error that they belong to', () => {
    const lines = [
      '[x INFO  post_service] using 1 cores',
      'Error: creating Post Service',
      '',
      'Caused by:',
      '   0: loading POST metadata',
      '   1: No such file or directory (os error 2)',
      '',
      'Location:',
      '    src/metadata.rs:57:25',
    ];
    expect(lastWords(lines)).toBe(
      'creating Post Service: loading POST metadata: No such file or directory (os error 2)',
    );
  });

  it('quotes a panic, or simply the last line', () => {
    expect(lastWords(["thread 'main' (7) panicked at src/config.rs:43:9:", 'assertion failed'])).toContain(
      'assertion failed',
    );
    expect(lastWords(['one', 'two', ''])).toBe('two');
    expect(lastWords([])).toBeUndefined();
  });
});

describe.skipIf(recordings === undefined || !existsSync(recorded('node-start.json')))(
  'recorded starts of the real programs (SMESH_RECORDINGS)',
  () => {
    it('tells every node that failed from every one that ran', () => {
      const { cases } = JSON.parse(readFileSync(recorded('node-start.json'), 'utf8')) as {
        cases: { case: string; exit: number | 'running'; key_lines: string[] }[];
      };
      const lingering = ['bad-coinbase', 'coinbase-other-hrp', 'bad-listener', 'two-poets-standalone'];
      for (const { case: name, exit, key_lines: lines } of cases) {
        const failed = lines.some((line) => readStartSign(line)?.kind === 'failed');
        const expected = lingering.includes(name) || (exit !== 'running' && exit !== 0);
        expect(failed, name).toBe(expected);
      }
    });

    it('sees a post-service connect, once per connection', () => {
      const log = readFileSync(recorded('post-service-proof.log'), 'utf8').split('\n');
      expect(log.some((line) => readStartSign(line)?.kind === 'connected')).toBe(true);
      expect(log.some((line) => readStartSign(line)?.kind === 'failed')).toBe(false);
    });
  },
);
