/** The go-spacemesh stand-in: exit codes and last words as of v1.7.6. */
import { homedir } from 'node:os';
import process from 'node:process';
import { note } from '../common/ledger.ts';
import { App, StartFailure } from './app.ts';
import { loadConfig } from './config.ts';
import { type CommandLine, parseCommandLine } from './flags.ts';
import { readKnobs, versionOf } from './knobs.ts';
import { log, printError } from './logger.ts';

const version = versionOf(process.env);

function fail(message: string): never {
  printError(message);
  process.exit(1);
}

function commandLine(): CommandLine {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    return fail((error as Error).message);
  }
}

function prepare(line: CommandLine): App {
  try {
    return new App(loadConfig(line, homedir()), readKnobs(process.env));
  } catch (error) {
    return fail(`loading config: ${(error as Error).message}`);
  }
}

async function run(line: CommandLine): Promise<void> {
  const app = prepare(line);
  let lingering = false;
  const stop = (signal: NodeJS.Signals) => {
    note('terminated');
    if (lingering) process.exit(1);
    log('INFO', 'node', `received signal ${signal}, stopping`);
    app.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    note('started');
    await app.start(app.prepare());
    note('ready');
    log('INFO', 'node', 'app started', { version });
  } catch (error) {
    if (!(error instanceof StartFailure)) return fail((error as Error).message);
    log('ERROR', 'node', 'failed to start App', { errmsg: error.message, name: '' });
    if (error.lingers) {
      lingering = true;
      await Promise.all([app.abandon(), wait(readKnobs(process.env).linger)]);
      log('ERROR', 'node', 'app failed to clean up in time');
    }
    fail(error.message);
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const line = commandLine();
if (line.command === 'version') process.stdout.write(`${version}\n`);
else if (line.command === 'help') process.stdout.write('Usage:\n  node [flags]\n  node [command]\n');
else void run(line);
