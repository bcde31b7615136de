import { createHash } from 'node:crypto';
import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeySweep } from '../../../src/domain/doctor/key-sweep.ts';
import { Redactor } from '../../../src/domain/doctor/redact.ts';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';

const SMESHER = '62834bf0c1a2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5be1' as SmesherId;
const OTHER = '8dd53ad10f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4' as SmesherId;
const IMAGE = `sha256:${'ab12'.repeat(16)}`;

function redactor(): Redactor {
  return new Redactor({
    smeshers: [SMESHER, OTHER],
    harmless: [IMAGE, 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg='],
    paths: ['/srv/smesh', '/srv/smesh/node-data', '/mnt/Disk1/Post0001/Smeshing', `/mnt/${SMESHER}`],
    userNames: ['alice'],
    hostNames: ['rig7'],
  });
}

const blank = (text: string) => redactor().text(text);

describe('what a report keeps', () => {
  it.each([
    '2026-11-21T03:03:00.123+0000\tINFO\tnipostBuilder\tpost service registered\t{"layer": 353558}',
    '2026-11-21T03:03:00.123+0000\tINFO\tnode.atxBuilder\tcreating initial post',
    'peers offset is larger than max allowed clock difference\t{"round": 3, "offset": "12.3s"}',
    'finished reading POST data in 3m 12s',
    '[2026-11-21T03:03:00Z INFO  post::prove] calculating proof of work for nonces 0..128',
    'Docker 26.1.5+dfsg1 (API 1.45), overlay2, 79 GiB free in /var/lib/docker',
    'image spacemeshos/post-service:v0.8.5, docker.io/library/ubuntu:22.04',
    'node v1.7.6 at 127.0.0.1:9092 and 0.0.0.0:7513, [::1]:9093',
    'https://mainnet-poet-0.spacemesh.network/v1/info answers in 120 ms',
    'set poet.servers in smesh.yaml; compose.override.yaml line 12; local.sql, postdata_0.bin',
    '/srv/smesh/node-data/identities and /mnt/Disk1/Post0001/Smeshing/postdata_17.bin',
    'panicked at src/main.rs:120:9, activation/post_service.go:88',
    '1700000000123456789 ns, 4294967296 bytes, 12:34:56',
    '10 20 30 40 50 60 7000 8000 9000',
    `image ${IMAGE}, PoET cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=`,
  ])('%s', (line) => {
    expect(blank(line)).toBe(line);
  });
});

describe('what a report blanks', () => {
  it('gives an identity one name in all its spellings', () => {
    const base64 = Buffer.from(SMESHER, 'hex').toString('base64');
    expect(blank(`${SMESHER} ${SMESHER.toUpperCase()} 62834bf0 ${base64} 62834.nipostBuilder`)).toBe(
      '[smesher-1] [smesher-1] [smesher-1] [smesher-1] [smesher-1].nipostBuilder',
    );
    expect(blank(`${OTHER},${SMESHER}`)).toBe('[smesher-2],[smesher-1]');
    expect(blank(`/mnt/${SMESHER}/x`)).toBe('/mnt/[smesher-1]/x');
  });

  it('blanks addresses of machines, and keeps the same name for the same machine', () => {
    expect(blank('203.0.113.9 and 203.0.113.9:7513, 10.1.2.3/16')).toBe('[ip-1] and [ip-1]:7513, [ip-2]/16');
    expect(blank('2001:db8::1 fe80::1%eth0 1:2:3:4:5:6:7:8 ::ffff:203.0.113.9')).not.toMatch(
      /2001|fe80|1:2:3|203/,
    );
    expect(blank('/ip4/203.0.113.9/tcp/7513/p2p/12D3KooWKzKpdWcrbFjwRdJWAsKzsFxHPfYHe3qvRVtU2wTNB8PM')).toBe(
      '[multiaddr-1]',
    );
    expect(blank('/dns4/peer.example.org/tcp/7513')).toBe('[multiaddr-1]');
    expect(blank('see node.farm')).toBe('see [host-1]');
    expect(blank('dial peer.example.org: refused by rig7, rig7.fritz.box')).toBe(
      'dial [host-1]: refused by [host-3], [host-2]',
    );
    expect(blank('link/ether 02:42:ac:11:00:02')).toBe('link/ether [mac-1]');
    expect(blank('mail to alice@example.org')).not.toMatch(/alice|example/);
  });

  it('blanks people in paths and as words', () => {
    expect(blank('/home/bob/smesh /Users/carol/x /media/dave/disk /home/alice')).toBe(
      '/home/[user]/smesh /Users/[user]/x /media/[user]/disk /home/[user]',
    );
    expect(blank('as alice in group alice, not malice')).toBe('as [user] in group [user], not malice');
  });

  it('blanks accounts, passwords, tokens, and what is in URLs', () => {
    expect(blank('coinbase sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg')).toBe('coinbase [account-1]');
    expect(blank('https://bob:hunter2@poet.example.com:8080/hooks/T0/Bx?token=abc#z')).toBe(
      'https://[blanked]@[host-1]:8080/[path]?[blanked]',
    );
    for (const line of [
      'password: hunter2',
      'DB_PASSWORD=hunter2',
      '{"api_key":"hunter2","x":1}',
      '{\\"token\\":\\"hunter2\\"}',
      'Authorization: Bearer hunter2',
      '--secret hunter2 --threads 2',
      "mnemonic = 'hunter2 hunter2 hunter2'",
      'bob:hunter2@somewhere',
    ]) {
      expect(blank(line), line).not.toContain('hunter2');
    }
  });

  it('blanks by name in structures, whatever the type, and all values of an environment', () => {
    const value = redactor().value({
      poetPrivateKey: 'short',
      password: 1234,
      secrets: { a: { file: 'x' }, b: ['y'] },
      environment: { RUST_LOG: 'info', WALLET: 'hunter2', SIM_READ_MS: 12 },
      args: ['RUST_LOG=info', 'WALLET=hunter2', 'FLAG'],
      hostname: 'box',
      bytes: Array.from({ length: 32 }, (_, index) => index * 7),
      list: [SMESHER.slice(0, 20), SMESHER.slice(20)],
      nested: [{ coinbase: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg' }],
      services: ['admin', 'smesher', 'activation_stream_v2alpha1', 'reward_stream_v2alpha1', 'postInfo'],
      count: 3,
      flag: true,
      none: null,
    });
    expect(value).toEqual({
      poetPrivateKey: '[blanked]',
      password: '[blanked]',
      secrets: { a: { file: '[blanked]' }, b: ['[blanked]'] },
      environment: { RUST_LOG: 'info', WALLET: '[blanked]', SIM_READ_MS: '12' },
      args: ['RUST_LOG=info', 'WALLET=[blanked]', 'FLAG'],
      hostname: '[host-1]',
      bytes: '[bytes]',
      list: '[blanked]',
      nested: [{ coinbase: '[account-1]' }],
      services: ['admin', 'smesher', 'activation_stream_v2alpha1', 'reward_stream_v2alpha1', 'postInfo'],
      count: 3,
      flag: true,
      none: null,
    });
  });

  it('takes what cannot be read for text, and leaves comments out of what can', () => {
    expect(redactor().file('x.yaml', '# hunter2\na: 1\n')).toBe('a: 1\n');
    expect(redactor().file('x.yaml', 'a: [1\npassword: hunter2\n')).toBe('a: [1\npassword: [blanked]\n');
    expect(redactor().file('x.json', '{"password": "hunter2"')).toBe('{"password": "[blanked]"');
  });
});

/** Ways in which a secret of 32 bytes gets into a file. */
const SPELLINGS: Readonly<Record<string, (seed: Buffer) => string>> = {
  hex: (seed) => seed.toString('hex'),
  'upper hex': (seed) => seed.toString('hex').toUpperCase(),
  'whole key': (seed) => seed.toString('hex') + SMESHER,
  base64: (seed) => seed.toString('base64'),
  base64url: (seed) => seed.toString('base64url'),
  'base64 of the whole key': (seed) => Buffer.concat([seed, Buffer.from(SMESHER, 'hex')]).toString('base64'),
  'base64 of the hex': (seed) => Buffer.from(seed.toString('hex')).toString('base64'),
  'list of bytes': (seed) => `[${[...seed].join(', ')}]`,
  'list of bytes in Go': (seed) => `[${[...seed].join(' ')}]`,
  'pairs with colons': (seed) => (seed.toString('hex').match(/../g) ?? []).join(':'),
  'hex in JSON escapes': (seed) =>
    [...seed.toString('hex')].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'base64 in JSON escapes': (seed) =>
    [...seed.toString('base64')]
      .map((c, at) => (at % 3 === 0 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c))
      .join(''),
  'hex in doubled escapes': (seed) =>
    [...seed.toString('hex')].map((c) => `\\\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'hex in percent signs': (seed) =>
    [...seed.toString('hex')].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  'hex over an escaped line break': (seed) =>
    `${seed.toString('hex').slice(0, 23)}\\n${seed.toString('hex').slice(23)}`,
  'hex in two strings': (seed) =>
    `${seed.toString('hex').slice(0, 30)}" + "${seed.toString('hex').slice(30)}`,
  'hex in strings of eight': (seed) => `["${(seed.toString('hex').match(/.{8}/g) ?? []).join('", "')}"]`,
  'hex in elevens over escaped line breaks': (seed) =>
    (seed.toString('hex').match(/.{1,11}/g) ?? []).join('\\n'),
  'base64 over an escaped line break': (seed) =>
    `${seed.toString('base64').slice(0, 21)}\\n${seed.toString('base64').slice(21)}`,
};

function leaks(text: string, seed: Buffer): boolean {
  const hex = seed.toString('hex');
  const squeezed = text.toLowerCase().replace(/[^0-9a-f]/g, '');
  for (let at = 0; at + 16 <= hex.length; at += 1) if (squeezed.includes(hex.slice(at, at + 16))) return true;
  const base64 = seed.toString('base64').slice(0, 42);
  const tight = text
    .replace(/[^A-Za-z0-9+/_-]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  for (let at = 0; at + 16 <= base64.length; at += 1)
    if (tight.includes(base64.slice(at, at + 16))) return true;
  return (
    [...seed].slice(0, 8).join(',') === '' ||
    text.replace(/\s+/g, ',').includes([...seed].slice(4, 14).join(','))
  );
}

// Small numbers, which are drawn most, make hex almost without letters: no seed. The rules go by what a random one looks like.
const randomSeed = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => createHash('sha256').update(bytes).digest());
const around = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replace(/[\n\r]/g, ' '));
const glue = fc.constantFrom(
  '',
  ' ',
  '"',
  "'",
  '=',
  ': ',
  '\t',
  '(',
  '{"a": "',
  'key=',
  '/',
  ',',
  'x ',
  'seed:',
  '@',
);

describe('property: no spelling of a secret survives, wherever it stands', () => {
  it.each(Object.entries(SPELLINGS))('%s, found by its looks', (_, spell) => {
    fc.assert(
      fc.property(randomSeed, around, glue, glue, around, (seed, before, left, right, after) => {
        // Letters and digits that run into the secret would make another text of it.
        const line = `${before} ${left}${spell(seed)}${right === 'x ' ? ' ' : right} ${after}`;
        expect(leaks(blank(line), seed)).toBe(false);
        const inJson = redactor().file('a.json', JSON.stringify({ a: [{ b: line }] }));
        expect(leaks(inJson, seed)).toBe(false);
      }),
      { numRuns: Number(process.env['REDACT_RUNS'] ?? 150) },
    );
  });

  it('also in pieces of any length, when the key is known', () => {
    fc.assert(
      fc.property(
        randomSeed,
        fc.array(fc.nat({ max: 62 }), { maxLength: 6 }),
        fc.constantFrom('\n', ' ', '\n  - ', '", "', '\\n', '-', '\n\n'),
        around,
        (seed, cuts, separator, noise) => {
          const hex = seed.toString('hex');
          const places = [...new Set(cuts)].sort((a, b) => a - b);
          const pieces = [0, ...places].map((from, index, all) =>
            hex.slice(from, all[index + 1] ?? hex.length),
          );
          const text = `${noise.replace(/[0-9a-f]/gi, '')}\n${pieces.join(separator)}\nend`;
          const cleaned = new KeySweep([seed]).clean(blank(text));
          const squeezed = cleaned.replace(/\\n/g, '').replace(/[^0-9a-f]/g, '');
          for (let at = 0; at + 16 <= hex.length; at += 1) {
            expect(squeezed.includes(hex.slice(at, at + 16))).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.anything(), (text, value) => {
        const one = redactor();
        expect(typeof one.text(text)).toBe('string');
        expect(typeof one.file('a.yaml', text)).toBe('string');
        expect(typeof one.file('a.json', text)).toBe('string');
        one.value(
          JSON.parse(JSON.stringify(value ?? null, (_, v) => (typeof v === 'bigint' ? `${v}` : v)) ?? 'null'),
        );
      }),
      { numRuns: 300 },
    );
  });
});

it.each(['a', 'a-', 'a.', '\\', '1.', 'a:b@', '"', '+', 'password', '\\x41', 'aa.aa-', '0x', '::'])(
  'a long line of nothing but %j is done at once',
  (piece) => {
    const line = piece.repeat(16_000 / piece.length);
    const started = performance.now();
    for (const end of ['', '!', 'z']) blank(line + end);
    // It takes a tenth of a second; what grows with the square of the length takes minutes.
    expect(performance.now() - started).toBeLessThan(3000);
  },
);

describe('the last look', () => {
  const seed = Buffer.from('00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210', 'hex');
  const sweep = new KeySweep([seed]);

  it('takes out the line that holds a piece, in any spelling, and keeps the others', () => {
    for (const spelled of [
      seed.toString('hex').slice(10, 30),
      Buffer.concat([Buffer.from('a'), seed])
        .toString('base64')
        .slice(8, 30),
      Buffer.concat([Buffer.from('ab'), seed])
        .toString('base64')
        .slice(8, 30),
      [...seed].slice(3, 12).join(', '),
    ]) {
      const cleaned = sweep.clean(`one\ntwo ${spelled} two\nthree`);
      expect(cleaned, spelled).toBe('one\n[left out: it held a piece of a private key]\nthree');
    }
  });

  it('leaves nothing of a file in which a key runs over the lines', () => {
    const hex = seed.toString('hex');
    expect(sweep.clean(`x\n${hex.slice(0, 14)}\n${hex.slice(14, 28)}\n${hex.slice(28)}\n`)).toBe(
      '[left out: it held a piece of a private key]\n',
    );
  });

  it('prints as nothing that could be used', () => {
    expect(`${sweep} ${JSON.stringify({ sweep })}`).toBe('[private keys] {"sweep":"[private keys]"}');
  });
});
