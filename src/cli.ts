import { version } from './version.ts';

const argv = process.argv.slice(2);

/**
 * process.exit waits for threads that still compile, and such a thread may wait for this one: then neither ends
 * (nodejs/node#54918, Node.js 20 to 26). With nothing to do for a moment they come to their end.
 */
const EXIT_PAUSE_MS = 20;

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // The one answer that needs nothing else: scripts ask it often, so it loads no parser.
  process.stdout.write(`${version}\n`);
} else {
  const { main } = await import('./app.ts');
  const exitCode = await main(argv);
  process.exitCode = exitCode;
  // Idle connections to engine and node must not keep the shell waiting; what was printed must still get out.
  process.stdout.write('', () =>
    process.stderr.write('', () => setTimeout(process.exit, EXIT_PAUSE_MS, exitCode)),
  );
}
