// Writes docs/reference/commands.md from the command registry.
//
//   tsx scripts/generate-reference.ts           writes it
//   tsx scripts/generate-reference.ts --check   exit 1 when it is out of date; writes nothing

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { GLOBAL_OPTIONS } from '../src/commands/parser.ts';
import { registry } from '../src/commands/registry.ts';
import { renderReference } from './lib/reference.ts';

const target = fileURLToPath(new URL('../docs/reference/commands.md', import.meta.url));

const commands = await Promise.all(
  registry.map(async (entry) => {
    const spec = await entry.load();
    // `--help` of the program shows the one, `--help` of the command and the reference the other.
    if (spec.name !== entry.name || spec.summary !== entry.summary) {
      throw new Error(
        `registry and command disagree: ${entry.name} (${entry.summary}), ${spec.name} (${spec.summary})`,
      );
    }
    return spec;
  }),
);
const options = GLOBAL_OPTIONS.map(({ flags, description, defaultValue, argChoices }) => ({
  flags,
  summary: description,
  default: defaultValue,
  ...(argChoices === undefined ? {} : { choices: argChoices }),
}));
const wanted = renderReference(commands, options);

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, wanted);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== wanted) {
  console.error('docs/reference/commands.md is out of date: run `npx tsx scripts/generate-reference.ts`');
  process.exitCode = 1;
}
