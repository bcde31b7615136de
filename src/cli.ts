import { version } from './version.ts';

const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // The one answer that needs nothing else: scripts ask it often, so it loads no parser.
  process.stdout.write(`${version}\n`);
} else {
  const { main, quietThreads } = await import('./app.ts');
  const exitCode = await main(argv);
  process.exitCode = exitCode;
  // Idle connections to engine and node must not keep the shell waiting; what was printed must still get out.
  await quietThreads();
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
}
