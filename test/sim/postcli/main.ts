/**
 * A stand-in for postcli v0.12.9: the real flags, warnings, files and exit codes; labels that cost a hash
 * instead of scrypt.
 */
import { totalFiles } from './data-files.ts';
import { Fatal, GoPanic, InitialisationFault, Interrupted } from './exits.ts';
import { Initialiser } from './initialiser.ts';
import { Interruption } from './interruption.ts';
import { type Knobs, readKnobs } from './knobs.ts';
import { createLog, type Log, say } from './log.ts';
import { searchForNonce } from './nonce-search.ts';
import { type Options, readOptions } from './options.ts';
import { preflight } from './preflight.ts';
import { printConfig } from './print-config.ts';
import { printProviders } from './providers.ts';
import { verify } from './verify.ts';

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env['HOME'] ?? '/');
  if ('kind' in options) {
    process.stderr.write(options.stderr);
    return options.code;
  }
  const knobs = readKnobs(process.env);
  if (options.printProviders) {
    await printProviders(knobs);
    return 0;
  }
  if (options.printNumFiles) {
    say(totalFiles(options.numUnits, options.labelsPerUnit, options.maxFileSize));
    return 0;
  }
  if (options.printConfig) {
    printConfig(options);
    return 0;
  }
  const log = createLog(options.logLevel);
  if (options.verify) {
    await verify(options, knobs, log);
    return 0;
  }
  const interruption = new Interruption();
  interruption.listen();
  if (options.searchForNonce) {
    await searchForNonce(options, log, interruption);
    return 0;
  }
  return initialise(options, knobs, log, interruption);
}

async function initialise(
  options: Options,
  knobs: Knobs,
  log: Log,
  interruption: Interruption,
): Promise<number> {
  const job = preflight(options);
  const initialiser = new Initialiser(options, job, knobs, log, interruption);
  if (options.reset) {
    initialiser.reset();
    say('cli: reset completed');
    return 0;
  }
  try {
    await initialiser.initialise();
  } catch (error) {
    if (error instanceof Interrupted) throw new Fatal('cli: initialization interrupted');
    if (!(error instanceof InitialisationFault)) throw error;
    // The real program says so and exits with 0: only the files tell that it failed.
    say('cli: initialization error', error.message);
    return 0;
  }
  say('cli: initialization completed');
  if (options.genproof) {
    say('cli: generating proof as a sanity test');
    say('cli: proof is valid');
  }
  return 0;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Fatal) {
    say(error.message);
    return 1;
  }
  if (error instanceof GoPanic) {
    say(error.message);
    process.stderr.write(`panic: ${error.message}\n\ngoroutine 1 [running]:\nmain.main()\n`);
    return 2;
  }
  process.stderr.write(`stand-in fault: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 70;
}

main()
  .catch(exitCodeOf)
  .then((code) => process.exit(code));
