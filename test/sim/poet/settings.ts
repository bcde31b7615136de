/** What a PoET runs by: the defaults, over them the INI file, over that the command line (spacemesh.md §7.4). */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { goErrno } from '../node/config.ts';
import { parseDuration } from '../node/go-text.ts';
import { type Given, type OptionName, parseFlags, parseIni } from './flags.ts';

/** Times in milliseconds. */
export interface Settings {
  readonly genesis: number;
  readonly epoch: number;
  readonly phaseShift: number;
  readonly cycleGap: number;
  readonly dataDir: string;
  readonly dbDir: string;
  readonly rest: string;
  /** The gRPC listeners; nobody answers there, but a port that is taken is a port that is taken. */
  readonly grpc: readonly string[];
  readonly powDifficulty: number;
  readonly maxMembers: number;
  readonly certifier: { readonly url: string; readonly pubkey: string; readonly trustedKeys: string };
  readonly leavesPerSecond: number;
  readonly works: boolean;
}

/** @throws Error as poet words it; HelpWanted */
export function readSettings(argv: readonly string[], home: string, now: number): Settings {
  const line = parseFlags(argv);
  const path = line.get('configfile');
  const given: Given = new Map([...(path === undefined ? [] : readIni(path)), ...line]);
  const text = (name: OptionName, fallback: string) => given.get(name) || fallback;
  const duration = (name: OptionName, fallback: string) => parseDuration(text(name, fallback));
  const base = expand(text('poetdir', join(home, '.cache/poet')), home);
  const genesis = given.get('genesis-time');
  return {
    // Without one the network begins when the program does, anew at every start.
    genesis: genesis === undefined ? now : Date.parse(genesis),
    epoch: duration('epoch-duration', '30s'),
    phaseShift: duration('phase-shift', '15s'),
    cycleGap: duration('cycle-gap', '10s'),
    dataDir: expand(text('datadir', join(base, 'data')), home),
    dbDir: expand(text('dbdir', join(base, 'db')), home),
    rest: text('restlisten', 'localhost:8080'),
    grpc: [text('rpclisten', 'localhost:50002'), text('config-rpclisten', 'localhost:50001')],
    powDifficulty: Number(text('pow-difficulty', '0')),
    maxMembers: Number(text('max-round-members', String(2 ** 32))),
    certifier: {
      url: text('certifier-url', ''),
      pubkey: text('certifier-pubkey', ''),
      trustedKeys: text('trusted-pub-keys-dir-path', ''),
    },
    leavesPerSecond: Number(text('lps', '78000')),
    works: given.get('disable-worker') !== 'true',
  };
}

function readIni(path: string): Given {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`failed to read config from ${path}: open ${path}: ${goErrno(error)}`);
  }
  try {
    return parseIni(path, text);
  } catch (error) {
    throw new Error(`failed to read config from ${path}: ${(error as Error).message}`);
  }
}

function expand(path: string, home: string): string {
  return resolve(path.replace(/^~/, home));
}
