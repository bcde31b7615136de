import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseServiceStatus } from '../../../src/domain/proving/service-status.ts';

const recordings = process.env.SMESH_RECORDINGS;

describe('the answer of GET /status', () => {
  it('is one of three', () => {
    expect(parseServiceStatus('"Idle"')).toEqual({ kind: 'idle' });
    expect(parseServiceStatus('"DoneProving"')).toEqual({ kind: 'done-proving' });
    expect(parseServiceStatus('{"Proving":{"nonces":{"start":0,"end":128},"position":5242880}}')).toEqual({
      kind: 'proving',
      nonces: { start: 0, end: 128 },
      position: 5_242_880,
    });
  });

  it('may have no nonces yet for an instant', () => {
    const status = parseServiceStatus('{"Proving":{"nonces":{"start":0,"end":0},"position":0}}');
    expect(status).toMatchObject({ kind: 'proving', nonces: { start: 0, end: 0 } });
  });

  it.each([
    '',
    'Idle',
    '"idle"',
    '{"Idle":null}',
    '["Idle"]',
    'null',
    '{}',
    '{"Proving":{}}',
    '{"Proving":{"nonces":{"start":0,"end":128}}}',
    '{"Proving":{"nonces":{"start":"0","end":128},"position":0}}',
    '{"Proving":{"nonces":{"start":128,"end":0},"position":0}}',
    '{"Proving":{"nonces":{"start":0,"end":128},"position":-1}}',
    '{"Proving":{"nonces":{"start":0,"end":128},"position":0.5}}',
    '{"Proving":{"nonces":{"start":0,"end":128},"position":18446744073709551615}}',
    '{"Proving":{"nonces":{"start":0,"end":128},"position":0},"Idle":1}',
    '"Idle" "Idle"',
    ' "Idle"',
    '"Idle"\n',
    '\uFEFF"Idle"',
    '"\\u0049dle"',
    '"Id\\u006ce"',
    `"${'Idle'.repeat(2000)}"`,
    '<html>502 Bad Gateway</html>',
  ])('is malformed when it is %s', (body) => {
    expect(parseServiceStatus(body).kind).toBe('malformed');
  });

  it('never throws and never takes something else for idle', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constantFrom(' "Idle"', '"Idle"\n')), (body) => {
        const status = parseServiceStatus(body);
        expect(status.kind === 'idle').toBe(body === '"Idle"');
      }),
    );
  });

  it('is read back whatever the numbers', () => {
    const number = fc.nat({ max: 2 ** 53 - 1 });
    fc.assert(
      fc.property(number, number, number, (a, b, position) => {
        const nonces = { start: Math.min(a, b), end: Math.max(a, b) };
        const status = parseServiceStatus(JSON.stringify({ Proving: { nonces, position } }));
        expect(status).toEqual({ kind: 'proving', nonces, position });
      }),
    );
  });

  it.skipIf(recordings === undefined)(
    'is understood wherever it was recorded (needs SMESH_RECORDINGS)',
    () => {
      let seen = 0;
      for (const name of ['two-epochs', 'pause-restart', 'three-passes']) {
        const text = readFileSync(join(recordings ?? '', `timeline-${name}.jsonl`), 'utf8');
        for (const line of text.trim().split('\n')) {
          const { status } = JSON.parse(line) as { status?: Record<string, unknown> };
          for (const answer of Object.values(status ?? {})) {
            // What the recorder noted where there was no answer is not from the service.
            if (typeof answer === 'string' && answer !== 'Idle' && answer !== 'DoneProving') continue;
            expect(parseServiceStatus(JSON.stringify(answer)).kind).not.toBe('malformed');
            seen += 1;
          }
        }
      }
      expect(seen).toBeGreaterThan(100);
    },
  );
});
