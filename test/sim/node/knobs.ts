/** What tests may change about the stand-in, by environment; the real node reads nothing of it but the PoET key. */

export interface Knobs {
  /** Milliseconds before the ports open (SIM_START_DELAY_MS; 9 to 13 s in the real node). */
  readonly startDelay: number;
  /** Milliseconds from open ports to a synced node (SIM_SYNC_DELAY_MS). */
  readonly syncDelay: number;
  /** Milliseconds for which a failed start stays up (SIM_LINGER_MS; 30 s in the real node). */
  readonly linger: number;
  /** POET_PRIVATE_KEY, base64 of the 64 bytes seed||pub: the key of the in-process PoET. */
  readonly poetPrivateKey: string | undefined;
  /** The release that it says it is (SIM_VERSION). */
  readonly version: string;
  /**
   * The PoETs of the config are servers of their own (SIM_POETS=external), asked over HTTP as the real node does it.
   * This needs a config with `main.standalone: false` (with true, the node starts the one PoET that it wants itself,
   * as ever) and is the stand-in's one liberty: it is then in sync, proposes and earns without any peer, as if the rest
   * of its network existed. Unset, a node that is not standalone asks no PoET and never gets in sync.
   */
  readonly externalPoets: boolean;
  /** `PRAGMA user_version` of its state.sql; an older file is migrated to it (SIM_STATE_VERSION). */
  readonly stateVersion: number | undefined;
}

/** What `version` prints, too, which reads nothing else. */
export function versionOf(environment: NodeJS.ProcessEnv): string {
  return environment['SIM_VERSION'] || 'v1.7.6';
}

export function readKnobs(environment: NodeJS.ProcessEnv): Knobs {
  const milliseconds = (name: string, fallback: number) => {
    const text = environment[name];
    if (text === undefined || text === '') return fallback;
    if (!/^\d+$/.test(text)) throw new Error(`${name} is not a number of milliseconds: ${text}`);
    return Number(text);
  };
  return {
    startDelay: milliseconds('SIM_START_DELAY_MS', 2500),
    syncDelay: milliseconds('SIM_SYNC_DELAY_MS', 1500),
    linger: milliseconds('SIM_LINGER_MS', 30_000),
    poetPrivateKey: environment['POET_PRIVATE_KEY'],
    version: versionOf(environment),
    externalPoets: externalPoets(environment['SIM_POETS']),
    stateVersion: environment['SIM_STATE_VERSION'] ? Number(environment['SIM_STATE_VERSION']) : undefined,
  };
}

function externalPoets(text: string | undefined): boolean {
  if (text !== undefined && text !== '' && text !== 'external')
    throw new Error(`SIM_POETS is not external: ${text}`);
  return text === 'external';
}
