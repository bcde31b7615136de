/** The stand-in for merge-nodes: command line, files and words as of v1.7.6 (spacemesh.md §6.3, §14.3). */
import process from 'node:process';
import { versionOf } from '../node/knobs.ts';
import { parseCommandLine, usage } from './command-line.ts';
import { mergeNodes } from './merge.ts';

try {
  const line = parseCommandLine(process.argv.slice(2));
  if (line.command === 'help') process.stdout.write(usage);
  else if (line.command === 'version')
    process.stdout.write(`merge-nodes version ${versionOf(process.env)}\n`);
  else mergeNodes(line.from, line.to);
} catch (error) {
  process.stderr.write(`Error: ${(error as Error).message}\n${usage}`);
  process.exitCode = 1;
}
