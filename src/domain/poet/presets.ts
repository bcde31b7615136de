import { MAINNET_POETS } from '../node/networks.ts';
import type { PoetServer, PoetSettings } from '../project/types.ts';

/** A rhythm of PoETs that many use on mainnet. */
export interface PoetPreset {
  readonly name: string;
  readonly summary: string;
  /** Seconds. */
  readonly times: Pick<PoetSettings, 'phaseShift' | 'cycleGap' | 'gracePeriod' | 'positioningAtxTimeout'>;
  /** Empty where the addresses are given to members only: they have to be named. */
  readonly servers: readonly PoetServer[];
}

const HOUR = 3600;

/**
 * The network's own rhythm and those of communities (spacemesh.md §1.3, §1.4, §7.1; operators.md (d.2)). Servers of a
 * community ask for a certificate or are told to members: none of their addresses stands here.
 */
export const POET_PRESETS: readonly PoetPreset[] = [
  {
    name: 'default',
    summary: "the network's own PoETs: phase shift 240 h, cycle gap 12 h",
    times: {
      phaseShift: 240 * HOUR,
      cycleGap: 12 * HOUR,
      gracePeriod: HOUR,
      positioningAtxTimeout: 50 * 60,
    },
    servers: MAINNET_POETS,
  },
  {
    name: 'team24',
    summary: 'later, with a gap of a day: phase shift 288 h, cycle gap 24 h',
    times: {
      phaseShift: 288 * HOUR,
      cycleGap: 24 * HOUR,
      gracePeriod: HOUR,
      positioningAtxTimeout: 50 * 60,
    },
    servers: [],
  },
  {
    name: 'team24-early',
    summary: 'earlier, with a gap of a day: phase shift 120 h, cycle gap 24 h',
    times: {
      phaseShift: 120 * HOUR,
      cycleGap: 24 * HOUR,
      gracePeriod: HOUR,
      positioningAtxTimeout: 50 * 60,
    },
    servers: [],
  },
];

/** By its name; `undefined` for any other word. */
export function poetPreset(name: string): PoetPreset | undefined {
  return POET_PRESETS.find((preset) => preset.name === name);
}
