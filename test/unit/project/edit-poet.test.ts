import { describe, expect, it } from 'vitest';
import { editPoet } from '../../../src/domain/project/edit-poet.ts';

const A = { address: 'https://a.example', pubkey: 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=' };
const B = { address: 'http://b.example:8080/', pubkey: 'Qh1efxY4YhoYBEXKPTiHJ/a7n1GsllRSyweQKO3j7m0=' };
const C = { address: 'https://c.example', pubkey: '8Qqgid+37eyY7ik+EA47Nd5TrQjXolbv2Mdgir243No=' };

const block = `version: 1
poet:
  # those that we know
  servers:
    - address: ${A.address}   # theirs
      pubkey: ${A.pubkey}
    # the near one
    - {address: '${B.address}', pubkey: ${B.pubkey}}
  cycleGap: 12h # as ever
identities: []
`;

describe('the list of PoET servers in smesh.yaml', () => {
  it('takes one out and puts one in; every other byte stays', () => {
    const changed = editPoet(block, { servers: [B, C] });
    expect(changed).toBe(
      block
        .replace(`    - address: ${A.address}   # theirs\n      pubkey: ${A.pubkey}\n`, '')
        .replace(
          `pubkey: ${B.pubkey}}\n`,
          `pubkey: ${B.pubkey}}\n    - address: ${C.address}\n      pubkey: ${C.pubkey}\n`,
        ),
    );
    expect(editPoet(changed, { servers: [C, B] })).toBe(changed);
  });

  it('is replaced whole', () => {
    const changed = editPoet(block, { servers: [C] });
    expect(changed).toContain(`  servers:\n    - address: ${C.address}\n      pubkey: ${C.pubkey}\n`);
    expect(changed).toContain('# the near one');
    expect(changed).not.toContain(A.address);
  });

  it.each([
    [
      'no section',
      'version: 1\n',
      `version: 1\n\npoet:\n  servers:\n    - address: ${A.address}\n      pubkey: ${A.pubkey}\n`,
    ],
    [
      'no line break at the end',
      'version: 1',
      `version: 1\n\npoet:\n  servers:\n    - address: ${A.address}\n      pubkey: ${A.pubkey}\n`,
    ],
    [
      'an empty section',
      'poet: # mine\nversion: 1\n',
      `poet: # mine\n  servers:\n    - address: ${A.address}\n      pubkey: ${A.pubkey}\nversion: 1\n`,
    ],
    [
      'a section without servers',
      'poet:\n   cycleGap: 6h # x\nversion: 1\n',
      `poet:\n   cycleGap: 6h # x\n   servers:\n     - address: ${A.address}\n       pubkey: ${A.pubkey}\nversion: 1\n`,
    ],
    [
      'braces',
      'poet: {cycleGap: 6h}\n',
      `poet: {servers: [{"address":"${A.address}","pubkey":"${A.pubkey}"}], cycleGap: 6h}\n`.replace(
        '[{"',
        '[{"',
      ),
    ],
    [
      'carriage returns',
      'version: 1\r\n',
      `version: 1\r\n\r\npoet:\r\n  servers:\r\n    - address: ${A.address}\r\n      pubkey: ${A.pubkey}\r\n`,
    ],
  ])('is written out where there is %s', (_, text, expected) => {
    expect(editPoet(text, { servers: [A] })).toBe(expected);
  });

  it('in braces takes entries, too', () => {
    const text = `poet: {servers: [{address: ${A.address}, pubkey: ${A.pubkey}}]}\n`;
    const two = editPoet(text, { servers: [A, C] });
    expect(two).toBe(text.replace('}]}', `}, {address: "${C.address}", pubkey: "${C.pubkey}"}]}`));
    expect(editPoet(two, { servers: [C] })).toBe(
      `poet: {servers: [{address: "${C.address}", pubkey: "${C.pubkey}"}]}\n`,
    );
  });

  it('refuses where more would change', () => {
    expect(() => editPoet('poet: &p {cycleGap: 6h}\nschedule: *p\n', { servers: [A] })).toThrow(/cannot set/);
    expect(() => editPoet('{version: 1}', { servers: [A] })).toThrow(/cannot set poet.servers/);
    expect(() => editPoet(`x: &l []\npoet: {servers: *l}\n`, { servers: [A] })).toThrow(/cannot change/);
  });
});

describe('times and the own service', () => {
  it('stand where they stood, or behind the last key', () => {
    expect(editPoet(block, { cycleGap: '24h', phaseShift: '96h' })).toBe(
      block.replace('cycleGap: 12h # as ever\n', 'cycleGap: 24h # as ever\n  phaseShift: 96h\n'),
    );
    expect(editPoet(block, { cycleGap: '12h' })).toBe(block);
    expect(editPoet('version: 1\n', { serve: { port: 8080 } })).toBe(
      'version: 1\n\npoet:\n  serve:\n    port: 8080\n',
    );
    expect(editPoet('version: 1\n', { serve: {} })).toBe('version: 1\n\npoet:\n  serve: {}\n');
  });
});
