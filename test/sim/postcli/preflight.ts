import { readSync } from 'node:fs';
import { Fatal } from './exits.ts';
import { createIdentity, invalidByteText, KEY_NAME, loadPublicKey } from './identity-key.ts';
import { say } from './log.ts';
import { loadMetadata, type PostMetadata } from './metadata.ts';
import { MAINNET, type Options } from './options.ts';

const INCOMPATIBLE =
  'CONTINUING WILL INITIALIZE DATA INCOMPATIBLE WITH MAINNET. MAKE ABSOLUTELY SURE YOU WANT THIS.';

/** What an initialisation works with after all warnings are answered. */
export interface Job {
  readonly id: Buffer;
  readonly commitmentAtxId: Buffer;
  readonly minNumUnits: number;
  readonly maxNumUnits: number;
}

/**
 * The checks before an initialisation, in the order of the real program: a warning asks (unless `-yes`), a
 * contradiction ends it. A fresh directory without `-id` gets its identity here, before later checks can fail.
 */
export function preflight(options: Options): Job {
  const metadata = readMetadata(options);
  const idHex = knownId(options, metadata);
  warnAboutUnits(options, metadata);
  let { minNumUnits, maxNumUnits } = MAINNET;
  if (options.given.has('numUnits') && (options.numUnits < minNumUnits || options.numUnits > maxNumUnits)) {
    say(
      'WARNING: numUnits is outside of range valid for mainnet (min:',
      minNumUnits,
      'max:',
      maxNumUnits,
      ')',
    );
    confirm(options, INCOMPATIBLE);
    minNumUnits = options.numUnits;
    maxNumUnits = options.numUnits;
  }
  checkCommitment(options, metadata);
  if (!options.given.has('provider')) throw new Fatal('-provider flag is required');
  warnAboutDefault(options, 'labelsPerUnit', options.labelsPerUnit !== MAINNET.labelsPerUnit);
  warnAboutDefault(options, 'scryptN', options.scryptN !== MAINNET.scryptN);
  if ((options.fromFile !== 0 || options.toFile !== undefined) && idHex === undefined) {
    throw new Fatal('-id flag is required when using -fromFile or -toFile');
  }
  const id = idHex === undefined ? newIdentity(options) : decodeHex(idHex, 'id');
  const commitmentAtxId = decodeHex(options.commitmentAtxId, 'commitmentAtxId');
  return { id, commitmentAtxId, minNumUnits, maxNumUnits };
}

function readMetadata(options: Options): PostMetadata | undefined {
  try {
    return loadMetadata(options.datadir);
  } catch (error) {
    throw new Fatal(`failed to load metadata: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function knownId(options: Options, metadata: PostMetadata | undefined): string | undefined {
  const { datadir } = options;
  let idHex = options.id === '' ? undefined : options.id;
  if (metadata !== undefined) {
    const present = metadata.nodeId.toString('hex');
    idHex ??= present;
    if (idHex !== present) {
      say('WARNING: it appears that', datadir, 'was previously initialized with a different `id` value.');
      abort(present, idHex);
    }
  }
  const key = loadPublicKey(datadir);
  if (key === undefined) return idHex;
  if (metadata !== undefined && !metadata.nodeId.equals(key)) {
    throw new Fatal(`WARNING: inconsistent state: ${KEY_NAME} file does not match metadata in ${datadir}`);
  }
  const present = key.toString('hex');
  idHex ??= present;
  if (idHex !== present) {
    say('WARNING: it appears that', datadir, 'was previously initialized with a generated key.');
    say('The provided id does not match the generated key.');
    abort(present, idHex);
  }
  return idHex;
}

function warnAboutUnits(options: Options, metadata: PostMetadata | undefined): void {
  if (metadata === undefined) return;
  if (!options.given.has('numUnits'))
    throw new Fatal('-numUnits must be specified to perform initialization.');
  if (options.numUnits === metadata.numUnits) return;
  const { datadir } = options;
  say('WARNING: it appears that', datadir, 'was previously initialized with a different `numUnits` value.');
  sayBoth(String(metadata.numUnits), String(options.numUnits));
  const erases = 'CONTINUING MIGHT ERASE EXISTING DATA. MAKE ABSOLUTELY SURE YOU SPECIFY THE CORRECT VALUE.';
  confirm(options, options.numUnits < metadata.numUnits ? erases : undefined);
}

function checkCommitment(options: Options, metadata: PostMetadata | undefined): void {
  if (metadata === undefined) return;
  if (!options.given.has('commitmentAtxId')) {
    throw new Fatal('-commitmentAtxId must be specified to perform initialization.');
  }
  const present = metadata.commitmentAtxId.toString('hex');
  if (options.commitmentAtxId.toLowerCase() === present) return;
  const { datadir } = options;
  say(
    'WARNING: it appears that',
    datadir,
    'was previously initialized with a different `commitmentAtxId` value.',
  );
  abort(present, options.commitmentAtxId);
}

function warnAboutDefault(options: Options, flag: string, differs: boolean): void {
  if (!options.given.has(flag) || !differs) return;
  say(`WARNING: ${flag} is set to a non-default value.`);
  say(`If you're trying to initialize for mainnet, please remove the -${flag} flag`);
  confirm(options, INCOMPATIBLE);
}

function newIdentity(options: Options): Buffer {
  say('cli: generating new identity');
  const id = createIdentity(options.datadir);
  say('generated key in', KEY_NAME);
  say('copy this file to the `data/identities` directory of your node');
  return id;
}

function decodeHex(text: string, name: string): Buffer {
  const bad = /[^0-9a-fA-F]/.exec(text);
  if (bad !== null) throw new Fatal(`failed to decode ${name} ${text}: ${invalidByteText(bad[0])}`);
  if (text.length % 2 !== 0) {
    throw new Fatal(`failed to decode ${name} ${text}: encoding/hex: odd length hex string`);
  }
  return Buffer.from(text, 'hex');
}

function abort(present: string, passed: string): never {
  sayBoth(present, passed);
  throw new Fatal('aborting');
}

function sayBoth(present: string, passed: string): void {
  say('\tCurrent value:', present);
  say('\tValue passed to postcli:', passed);
}

function confirm(options: Options, warning: string | undefined): void {
  if (options.yes) return;
  if (warning !== undefined) say(warning);
  say('Are you sure you want to continue (y/N)?');
  if (!/^y$/i.test(readLine())) throw new Fatal('Aborting');
}

/** One line from stdin; empty at its end. */
function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  try {
    while (readSync(0, byte, 0, 1, null) === 1 && byte[0] !== 0x0a) line += byte.toString();
  } catch {
    return '';
  }
  return line.trim();
}
