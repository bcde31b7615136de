/** What tests let happen to a PoET; the real one has nothing of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Knobs {
  /** Leaves of every proof (`SIM_POET_TICKS`): who has more is chosen. Unset: 45000 to 46999, another one each round. */
  readonly ticks: number | undefined;
  /** Milliseconds from a round's end to its proof (`SIM_POET_PROOF_DELAY_MS`). */
  readonly proofDelay: number;
  /** What `/v1/info` says instead of the truth, as `45s` (`SIM_POET_SAYS_PHASE_SHIFT`). */
  readonly saysPhaseShift: string | undefined;
  /** Takes every question and never answers (`SIM_POET_SILENT=1`). A dead one is one that does not run. */
  readonly silent: boolean;
  /** Answers every question with 503 (`SIM_POET_BUSY=1`). */
  readonly busy: boolean;
  /** Rounds that are over and whose proof is not handed out yet; only in the file. */
  readonly lateRounds: readonly number[];
}

/** The environment, and over it what `misfortunes.json` in the data folder says at this moment. */
export function readKnobs(environment: NodeJS.ProcessEnv, dataDir: string): Knobs {
  const number = (name: string) => {
    const text = environment[name];
    if (text === undefined || text === '') return undefined;
    // A mistyped knob that counts as "default" would make a test prove something else than it says.
    if (!/^\d+$/.test(text)) throw new Error(`${name} is not a whole number: ${text}`);
    return Number(text);
  };
  const flag = (name: string) => environment[name] === '1';
  return {
    ticks: number('SIM_POET_TICKS'),
    proofDelay: number('SIM_POET_PROOF_DELAY_MS') ?? 0,
    saysPhaseShift: environment['SIM_POET_SAYS_PHASE_SHIFT'] || undefined,
    silent: flag('SIM_POET_SILENT'),
    busy: flag('SIM_POET_BUSY'),
    lateRounds: [],
    ...readFile(dataDir),
  };
}

function readFile(dataDir: string): Partial<Knobs> {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'misfortunes.json'), 'utf8')) as Partial<Knobs>;
  } catch (error) {
    // Half written counts as not yet written.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
