import process from 'node:process';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { createScanner } from '../../../src/adapters/scanner/index.ts';

/** Scans the roots on the command line as whoever runs it, and prints the verdicts. */
const report = await createScanner({ crypto: nodeCrypto }).scan({
  roots: process.argv.slice(2),
  currentDirectory: '/',
  maxDepth: 6,
  keyPlaces: [],
  ignore: [],
});
const directories = report.directories.map(({ path, verdict, reasons, next, readable }) => {
  return { path, verdict, reasons, next, readable };
});
process.stdout.write(JSON.stringify({ directories, skipped: report.skipped }));
