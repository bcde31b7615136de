import process from 'node:process';
import fc from 'fast-check';

/** `SMESH_FUZZ_RUNS=50` makes fifty times as many runs (a soak); `SMESH_FUZZ_SEED` repeats those of another time. */
const times = numberIn('SMESH_FUZZ_RUNS') ?? 1;
export const fuzzSeed = numberIn('SMESH_FUZZ_SEED') ?? (Date.now() ^ process.pid) >>> 0;

/** Time that a property may take: half a minute and more for a soak, far more than the default runs need. */
export const FUZZ_TIMEOUT_MS = 30_000 * times;

console.info(`fuzz: seed ${fuzzSeed}${times === 1 ? '' : `, ${times} times the runs`}`);

function numberIn(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name}=${text} is no whole number`);
  return value;
}

/** How a property runs: `runs` of it by default, from the seed that was printed. */
export function fuzz<T>(runs: number): fc.Parameters<T> {
  return { numRuns: runs * times, seed: fuzzSeed, endOnFailure: times > 1 };
}

/** How many runs `fuzz(runs)` makes, for lower limits on what they must have seen. */
export function runsOf(runs: number): number {
  return runs * times;
}

/** Throws in whoever takes it for a number or a text. */
const UNCOERCIBLE = { toString: 1, valueOf: 2 };

const ODD_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'length',
  'digits',
  '',
];

/** Any JSON value, with the keys that JavaScript treats in ways of its own. */
export const oddJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    oddScalar(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...ODD_KEYS), fc.string()), tie('value')), { maxLength: 4 })
      .map(objectOf),
  ),
})).value;

function oddScalar(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom<unknown>(UNCOERCIBLE, { length: UNCOERCIBLE }, { length: 7 }, [UNCOERCIBLE]),
    fc.constantFrom(null, true, false, 0, -0, -1, 1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e308, 5e-324),
    fc.constantFrom('', ' ', '0', '-1', 'null', 'true', 'NaN', '\u0000', '\uFEFF', '\u202e', '\ud800', '١٢٣'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
}

/** Also `__proto__` becomes a key like any other, as `JSON.parse` makes it. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [key, value] of entries) {
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

type Path = readonly (string | number)[];

/** Every place in a JSON value, the whole of it among them. */
export function pathsIn(value: unknown, here: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [here];
  return [
    here,
    ...Object.entries(value).flatMap(([key, inner]) =>
      pathsIn(inner, [...here, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** A copy with another value at a path; `GONE` leaves it out. */
export function withValueAt(value: unknown, path: Path, put: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return put;
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const next = index === part ? withValueAt(item, rest, put) : item;
      return next === GONE ? [] : [next];
    });
  }
  const entries = Object.entries((value ?? {}) as object).flatMap(([key, item]): [string, unknown][] => {
    const next: unknown = key === part ? withValueAt(item, rest, put) : item;
    return next === GONE ? [] : [[key, next]];
  });
  return objectOf(entries);
}

export const GONE = Symbol('left out');

/** A valid value in which one to three places hold something else, or are gone. */
export function mutationsOf(valid: unknown, odd: fc.Arbitrary<unknown> = oddJson): fc.Arbitrary<unknown> {
  const one = fc.tuple(fc.constantFrom(...pathsIn(valid)), fc.oneof(fc.constant(GONE), odd));
  return fc.array(one, { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce<unknown>((value, [path, put]) => {
      const next = withValueAt(value, path, put);
      return next === GONE ? undefined : next;
    }, valid),
  );
}
