// Dependencies point one way, and what decides touches nothing: checked for every module of src/.

import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { checkModule } from './lib/boundaries.ts';

const source = fileURLToPath(new URL('../src', import.meta.url));
const paths = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.split(sep).join('/'));
const violations = paths.flatMap((path) => checkModule(path, readFileSync(join(source, path), 'utf8')));

for (const { file, line, message } of violations) console.error(`${file}:${line}  ${message}`);
console.log(`boundaries: ${paths.length} modules, ${violations.length} violations`);
if (paths.length === 0 || violations.length > 0) process.exitCode = 1;
