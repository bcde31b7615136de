// How long `smesh-compose scan` of 1,000 PoST directories with 100 files each takes beside a `find` that asks the same
// of every file: its size. Warm; real keys, real metadata, data files of one label.
//
//   tsx scripts/bench-scan.ts            prints the ratio; never fails on time
//   SMESH_CLI=<file> …                   another build than dist/cli.js

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '../src/adapters/crypto/index.ts';
import { compare, comparisonHeader, comparisonLine } from './lib/bench.ts';

const DIRECTORIES = 1000;
/** With identity.key and postdata_metadata.json a hundred files. */
const DATA_FILES = 98;
const LABEL = Buffer.alloc(16, 7);
const RUNS = 7;

const cli = process.env.SMESH_CLI ?? fileURLToPath(new URL('../dist/cli.js', import.meta.url));

function makeDirectory(path: string): void {
  mkdirSync(path);
  const seed = randomBytes(32);
  const publicKey = Buffer.from(nodeCrypto.publicKeyOfSeed(seed));
  const keyFile = Buffer.concat([seed, publicKey]).toString('hex');
  writeFileSync(join(path, 'identity.key'), keyFile, { mode: 0o600 });
  const metadata = {
    NodeId: publicKey.toString('base64'),
    CommitmentAtxId: Buffer.alloc(32, 1).toString('base64'),
    LabelsPerUnit: DATA_FILES,
    NumUnits: 1,
    MaxFileSize: LABEL.length,
    Nonce: 5,
    NonceValue: '00'.repeat(16),
  };
  writeFileSync(join(path, 'postdata_metadata.json'), JSON.stringify(metadata, null, '\t'));
  for (let index = 0; index < DATA_FILES; index += 1)
    writeFileSync(join(path, `postdata_${index}.bin`), LABEL);
}

/** Answers how many directories are ready: a fast scan that sees nothing is no fast scan. */
function scan(tree: string): number {
  const text = execFileSync(process.execPath, [cli, 'scan', tree, '--json'], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const report = JSON.parse(text) as { readonly directories: readonly { readonly verdict: string }[] };
  return report.directories.filter(({ verdict }) => verdict === 'ready').length;
}

const tree = mkdtempSync(join(tmpdir(), 'smesh-bench-scan-'));
try {
  for (let index = 0; index < DIRECTORIES; index += 1) {
    makeDirectory(join(tree, `post${String(index).padStart(4, '0')}`));
  }
  const ready = scan(tree);
  if (ready !== DIRECTORIES) throw new Error(`${ready} of ${DIRECTORIES} directories were found ready`);
  const result = await compare(
    () => execFileSync(process.execPath, [cli, 'scan', tree, '--json'], { stdio: 'ignore' }),
    () => execFileSync('find', [tree, '-printf', '%s %p\\n'], { stdio: 'ignore' }),
    { runs: RUNS },
  );
  console.log(comparisonHeader);
  console.log(
    comparisonLine(
      {
        subject: `\`smesh-compose scan\` of ${DIRECTORIES} directories × ${DATA_FILES + 2} files`,
        reference: "`find … -printf '%s %p\\n'`",
      },
      result,
    ),
  );
  const verdict = result.subject.median < 1000 ? 'under' : 'OVER';
  console.log(`scan: ${result.subject.median.toFixed(0)} ms, ${verdict} the promised second`);
} finally {
  rmSync(tree, { recursive: true, force: true });
}
