import { join } from 'node:path';
import { type FlagSpec, type ParsedFlags, parseFlags } from './go-flags.ts';
import { asLevel, type Level } from './log.ts';

export const CPU_PROVIDER = 0xffff_ffff;
export const MAINNET = { minNumUnits: 4, maxNumUnits: 1_048_576, labelsPerUnit: 2 ** 32, scryptN: 8192 };
const DEFAULT_FILE_SIZE = 2 ** 32;

/** The flags of postcli v0.12.9 (spacemesh.md §8.1). Sizes are bytes. */
export interface Options {
  /** Flags that stood on the command line; some defaults mean something else than the same value given. */
  readonly given: ReadonlySet<string>;
  readonly provider: number;
  readonly datadir: string;
  readonly numUnits: number;
  readonly commitmentAtxId: string;
  readonly id: string;
  readonly labelsPerUnit: number;
  readonly scryptN: number;
  readonly maxFileSize: number;
  readonly fromFile: number;
  readonly toFile: number | undefined;
  readonly verify: boolean;
  readonly fraction: number;
  readonly searchForNonce: boolean;
  readonly genproof: boolean;
  readonly printProviders: boolean;
  readonly printNumFiles: boolean;
  readonly printConfig: boolean;
  readonly reset: boolean;
  readonly yes: boolean;
  readonly logLevel: Level;
}

const FLAGS: Readonly<Record<string, FlagSpec>> = {
  commitmentAtxId: { kind: 'string', usage: 'commitment ATX, in hex (required)' },
  datadir: { kind: 'string', usage: 'folder of the data' },
  fraction: { kind: 'float64', usage: 'percentage of the labels to verify', default: '0.2' },
  fromFile: { kind: 'int', usage: 'index of the first file (inclusive)' },
  genproof: { kind: 'bool', usage: 'make and verify a proof afterwards' },
  id: { kind: 'string', usage: 'public key in hex; generated when not given' },
  labelsPerUnit: { kind: 'uint64', usage: 'labels of a unit', default: String(MAINNET.labelsPerUnit) },
  logLevel: { kind: 'text', usage: 'debug, info, warn, error, dpanic, panic, fatal', default: 'info' },
  maxFileSize: { kind: 'uint64', usage: 'bytes of a file', default: String(DEFAULT_FILE_SIZE) },
  numUnits: { kind: 'uint64', usage: 'number of units (required)' },
  printConfig: { kind: 'bool', usage: 'print configuration and options' },
  printNumFiles: { kind: 'bool', usage: 'print how many files there would be' },
  printProviders: { kind: 'bool', usage: 'print the compute providers' },
  provider: { kind: 'uint64', usage: 'compute provider (required)' },
  reset: { kind: 'bool', usage: 'delete the data' },
  scryptN: { kind: 'uint', usage: 'scrypt parameter N', default: String(MAINNET.scryptN) },
  searchForNonce: { kind: 'bool', usage: 'search the VRF nonce in existing data' },
  toFile: { kind: 'int', usage: 'index of the last file (inclusive)' },
  verify: { kind: 'bool', usage: 'verify existing data' },
  yes: { kind: 'bool', usage: 'answer questions with yes' },
};

export function readOptions(
  argv: readonly string[],
  home: string,
): Options | Extract<ParsedFlags, { kind: 'exit' }> {
  const parsed = parseFlags('postcli', FLAGS, argv);
  if (parsed.kind === 'exit') return parsed;
  const { given } = parsed;
  const number = (name: string, otherwise: number) => Number(given.get(name) ?? otherwise);
  const bool = (name: string) => /^(1|t|true)$/i.test(given.get(name) ?? '');
  const logLevel = asLevel(given.get('logLevel') ?? 'info');
  if (logLevel === undefined) {
    const level = given.get('logLevel');
    const stderr = `invalid value "${level}" for flag -logLevel: unrecognized level: "${level}"\n`;
    return { kind: 'exit', code: 2, stderr };
  }
  return {
    given: new Set(given.keys()),
    provider: number('provider', 0) % 2 ** 32,
    datadir: given.get('datadir') ?? join(home, 'post', 'data'),
    numUnits: number('numUnits', 0) % 2 ** 32,
    commitmentAtxId: given.get('commitmentAtxId') ?? '',
    id: given.get('id') ?? '',
    labelsPerUnit: number('labelsPerUnit', MAINNET.labelsPerUnit),
    scryptN: number('scryptN', MAINNET.scryptN),
    maxFileSize: number('maxFileSize', DEFAULT_FILE_SIZE),
    fromFile: number('fromFile', 0),
    toFile: given.has('toFile') ? number('toFile', 0) : undefined,
    verify: bool('verify'),
    fraction: number('fraction', 0.2),
    searchForNonce: bool('searchForNonce'),
    genproof: bool('genproof'),
    printProviders: bool('printProviders'),
    printNumFiles: bool('printNumFiles'),
    printConfig: bool('printConfig'),
    reset: bool('reset'),
    yes: bool('yes'),
    logLevel,
  };
}
