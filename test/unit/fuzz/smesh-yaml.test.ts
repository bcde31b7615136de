import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { SmeshError } from '../../../src/domain/errors.ts';
import { formatDiagnostic, projectFault } from '../../../src/domain/project/diagnostics.ts';
import { addIdentities, removeIdentity } from '../../../src/domain/project/edit.ts';
import { setImages } from '../../../src/domain/project/edit-images.ts';
import { type ParseResult, parseProject, requireProject } from '../../../src/domain/project/parse.ts';
import {
  EXAMPLE_DIRECTORY,
  EXAMPLE_PROJECTS,
  exampleId,
  generateExample,
} from '../../fixtures/example-projects.ts';
import { FUZZ_TIMEOUT_MS, fuzz, mutationsOf, oddJson, runsOf } from './support/fuzz.ts';

const valid = Object.values(EXAMPLE_PROJECTS);
/** Looks as a key file does; nobody's. */
const keyFile = 'c0de5eed'.repeat(16);
const secrets = [keyFile, keyFile.toUpperCase(), keyFile.slice(0, 64)];

/** What YAML has more than JSON, and what people paste. */
const SNIPPETS = [
  ...secrets,
  ...secrets.map((secret) => `\n${secret}: 1\n`),
  ...secrets.map((secret) => `"${secret}`),
  ...['&a ', '*a', '<<: *a\n', '<<: [*a, 1]\n', '<<: 5\n', '&a [*a]', '&a {x: *a}', '&a\n'],
  ...[
    '!!binary aGk=',
    '!!set {a, b}',
    '!!omap [a: 1]',
    '!!timestamp 2001-12-14',
    '!x y',
    '!!str 5',
    '!!float x',
  ],
  ...['? [a, b]\n: c\n', '? {a: b}\n: c\n', '? &k a\n: b\n', '[a]: b\n', '~: 1\n', '5: 1\n', 'true: 1\n'],
  ...[
    '%YAML 1.1\n---\n',
    '%TAG ! x\n',
    '---\n',
    '...\n',
    '\n---\na: 1\n',
    '|\n  x\n',
    '>-\n',
    '# \n',
    '"',
    "'",
  ],
  ...[
    '\t',
    '\0',
    '\r',
    '\uFEFF',
    '\u2028',
    '\u0085',
    '\x1b[31m',
    ' ',
    '  ',
    '- ',
    '-',
    ':',
    ': ',
    ',',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '1e400',
    '-.inf',
    '.nan',
    '0x7f',
    '0o17',
    '0b1',
    '1_000',
    '00',
    '1e5',
    '190:20:30',
    '9'.repeat(40),
    'null',
    '~',
    'yes',
  ],
  ...[
    'version: 1\n',
    'identities:\n',
    'node: {config: &a {x: *a}}\n',
    'node: {config: {a: .inf, b: -0, c: 1e20}}\n',
  ],
  ...[
    '__proto__: 1\n',
    '__proto__: {polluted: 1}\n',
    'constructor: 1\n',
    'toString: 1\n',
    'hasOwnProperty: 1\n',
  ],
];

const LAUGHS = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
  .split('')
  .map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]\n`)
  .join('')}`;

/** Each level is one line, and no line is deep. */
const CHAIN = Array.from(
  { length: 5000 },
  (_, index) => `  a${index + 1}: &a${index + 1} {x: *a${index}}\n`,
).join('');

const snippet = fc.constantFrom(...SNIPPETS);

/** A valid file in which a few places hold something else. */
const editedText = fc
  .tuple(
    fc.constantFrom(...valid),
    fc.array(
      fc.tuple(fc.nat(4000), fc.nat(6), fc.oneof(snippet, fc.string({ unit: 'binary', maxLength: 4 }))),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [at, gone, put]) => {
      const place = at % (edited.length + 1);
      return edited.slice(0, place) + put + edited.slice(place + gone);
    }, text),
  );

/** A snippet as the value of a key, where it comes closest to being accepted. */
const editedValue = fc.tuple(fc.constantFrom(...valid), fc.nat(60), snippet).map(([text, number, put]) => {
  const lines = text.split('\n');
  const at = number % lines.length;
  lines[at] = (lines[at] ?? '').replace(/:( .*)?$/, () => `: ${put}`);
  return lines.join('\n');
});

const movedLines = fc
  .tuple(
    fc.constantFrom(...valid),
    fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 3 }),
  )
  .map(([text, moves]) => {
    const lines = text.split('\n');
    for (const [from, to] of moves) lines.splice(to % lines.length, 0, lines[from % lines.length] ?? '');
    return lines.join('\n');
  });

const odd = fc.oneof(
  oddJson,
  fc.constantFrom(...secrets),
  fc.constantFrom('240h', `${'9'.repeat(400)}h`, '1e5'),
);
const mutatedValues = fc
  .constantFrom(...valid)
  .chain((text) => mutationsOf(parse(text), odd))
  .chain((value) =>
    fc.constantFrom(
      () => JSON.stringify(value) ?? '',
      () => stringify(value) ?? '',
    ),
  )
  .map((write) => write());

const files: fc.Arbitrary<string> = fc.oneof(
  editedText,
  editedValue,
  movedLines,
  mutatedValues,
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.nat(3000).map((at) => (valid[at % valid.length] ?? '').slice(0, at)),
);

const options = { directory: EXAMPLE_DIRECTORY };

function expectUsable(text: string, result: ParseResult): void {
  const told = result.ok ? result.warnings : result.diagnostics;
  if (!result.ok) expect(told.length).toBeGreaterThan(0);
  for (const diagnostic of told) {
    const shown = formatDiagnostic(diagnostic) + JSON.stringify(diagnostic);
    for (const secret of secrets) expect(shown.toLowerCase()).not.toContain(secret.toLowerCase());
    if (text.trim() !== '' && diagnostic.message !== 'the file is empty') {
      expect(diagnostic.line, shown).toBeGreaterThan(0);
      expect(diagnostic.column, shown).toBeGreaterThan(0);
    }
  }
}

/** Runs something that may refuse, but only in a way that the user can act on. */
async function orRefuses<T>(act: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    for (const secret of secrets)
      expect(JSON.stringify([error.message, error.details, error.hint])).not.toContain(secret);
    return undefined;
  }
}

describe('smesh.yaml, whatever stands in it', () => {
  it('is a project, or its faults are told with their places', { timeout: FUZZ_TIMEOUT_MS }, () => {
    let projects = 0;
    fc.assert(
      fc.property(files, (text) => {
        const result = parseProject(text, options);
        expectUsable(text, result);
        if (result.ok) projects += 1;
      }),
      fuzz(700),
    );
    // Files that are all refused at their first character would prove nothing.
    expect(projects).toBeGreaterThan(runsOf(700) / 20);
  });

  it('generates and can be edited once it is accepted', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const accepted = files.filter((text) => parseProject(text, options).ok);
    await fc.assert(
      fc.asyncProperty(accepted, async (text) => {
        const generated = await orRefuses(() => generateExample(text));
        const config = generated?.find(({ path }) => path === 'node/config.json');
        if (config !== undefined) JSON.parse(config.content);
        const added = await orRefuses(() =>
          addIdentities(text, [{ id: exampleId(0xfffe), name: 'post-9999', data: '/mnt/another' }]),
        );
        if (added !== undefined) expect(parseProject(added, options).ok).toBe(true);
        const [first] = requireProject(text, options).project.identities;
        if (first !== undefined) await orRefuses(() => removeIdentity(text, first.id));
        await orRefuses(() => setImages(text, { node: 'spacemeshos/go-spacemesh:v1.7.5' }));
      }),
      fuzz(60),
    );
  });

  it('takes neither time nor memory by what it refers to or how deep it goes', {
    timeout: FUZZ_TIMEOUT_MS,
  }, () => {
    const [head = ''] = valid;
    const deep = (open: string, depth: number) => open.repeat(depth);
    const monsters = [
      LAUGHS,
      `${head}schedule:\n${LAUGHS.replaceAll(/^/gm, '  ')}`,
      `${head}node: {config: ${deep('[', 20_000)}`,
      `${head}node: {config: ${deep('{a: ', 20_000)}`,
      `${head}node: {config: {a: ${deep('[', 3000)}${deep(']', 3000)}}}`,
      `${head}schedule: ${deep('{a: ', 2000)}1${deep('}', 2000)}`,
      `${head}x: ${deep('- ', 20_000)}`,
      `${head}schedule:\n  a0: &a0 {x: 1}\n${CHAIN}`,
      `${head}node:\n config:\n  a0: &a0 {x: 1}\n${CHAIN}`,
      deep('? ', 5000),
      deep('&a ', 5000),
      `${head}x: "${'a'.repeat(500_000)}`,
      `${head}node:\n  config:\n${Array.from({ length: 3000 }, (_, index) => `    k${index}: v\n`).join('')}`,
    ];
    for (const [index, text] of monsters.entries()) {
      const began = performance.now();
      const result = parseProject(text, options);
      if (!result.ok) {
        expectUsable(text, result);
        expect(projectFault(result.diagnostics).details.length).toBeLessThanOrEqual(50);
      }
      expect(performance.now() - began, `monster ${index}`).toBeLessThan(20_000);
    }
  });
});
