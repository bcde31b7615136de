// Looks through everything that the programs under test printed and that their containers logged, for any piece of
// the private half of any key that the tests used. Run after the suites.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { recordKeyFiles } from '../test/helpers/keys.ts';
import { recordedKeysFile, transcriptsFolder } from '../test/helpers/places.ts';
import { findLeaks, keyPieces } from './lib/private-keys.ts';

function fail(message: string): never {
  console.error(`private keys: ${message}`);
  process.exit(1);
}

const recordings = process.env.SMESH_RECORDINGS;
if (recordings !== undefined) recordKeyFiles(recordings);

// A search through nothing, or for nothing, would pass whatever the programs do.
if (!existsSync(recordedKeysFile)) fail('no test put a key on record: did the suites run?');
if (!existsSync(transcriptsFolder)) fail('no transcripts: did the suites run?');
const halves = readFileSync(recordedKeysFile, 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const pieces = keyPieces(halves);
const files = readdirSync(transcriptsFolder);
if (files.length === 0) fail('no transcripts: did the suites run?');

let characters = 0;
let leaks = 0;
for (const file of files) {
  const text = readFileSync(join(transcriptsFolder, file), 'utf8');
  characters += text.length;
  for (const { line, spelling } of findLeaks(text, pieces)) {
    leaks += 1;
    // Where it is, and not what it says.
    console.error(`build/transcripts/${file}:${line}  part of a private key, as ${spelling}`);
  }
}
if (leaks > 0) fail(`${leaks} lines hold part of a private key`);
console.log(
  `private keys: none of ${new Set(halves).size} in ${files.length} transcripts (${Math.round(characters / 1024)} KiB)`,
);
