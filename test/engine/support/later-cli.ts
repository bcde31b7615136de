/**
 * The real program, but its clock is LATER_MS ahead: what it would decide if all stayed as it is for so long. For rules
 * that count minutes, which no test wants to wait for.
 */
import { systemClock } from '../../../src/adapters/clock/index.ts';
import { main } from '../../../src/app.ts';

const later = Number(process.env.LATER_MS ?? Number.NaN);
if (!Number.isFinite(later)) throw new Error('LATER_MS is not a number');

const exitCode = await main(process.argv.slice(2), {
  clock: { ...systemClock, now: () => systemClock.now() + later },
});
process.stdout.write('', () => process.exit(exitCode));
