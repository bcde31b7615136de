// Writes docs/reference/smesh-yaml.md from the schema of smesh.yaml.
//
//   tsx scripts/generate-project-reference.ts           writes it
//   tsx scripts/generate-project-reference.ts --check   exit 1 when it is out of date; writes nothing

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { renderProjectReference } from './lib/project-reference.ts';

const target = fileURLToPath(new URL('../docs/reference/smesh-yaml.md', import.meta.url));
const wanted = renderProjectReference();

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, wanted);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== wanted) {
  console.error(
    'docs/reference/smesh-yaml.md is out of date: run `npx tsx scripts/generate-project-reference.ts`',
  );
  process.exitCode = 1;
}
