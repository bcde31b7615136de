import { OWN_POET, OWN_POET_KEY_FILE, OWN_POET_PORT } from '../poet/own-poet.ts';
import { formatGoDuration } from '../project/duration.ts';
import type { Network, OwnPoetSettings, PoetSettings } from '../project/types.ts';
import { bindMount, COMMON_HARDENING } from './hardening.ts';
import { writeLabels } from './labels.ts';
import type { ComposeService, Healthcheck } from './types.ts';

/** Where the service finds its folder: `data` (proofs in work), `db`, `logs` and the key file. */
const FOLDER = '/poet';

/** Folders below it, made before its first start: the image's own file system is read-only. */
export const OWN_POET_FOLDERS: readonly string[] = ['data', 'db', 'logs'];

/**
 * Reads the private key from its file and becomes the service. As `environment` or `env_file` the key would stand in what
 * `docker inspect` and `docker compose config` print.
 */
const START = `. ${FOLDER}/${OWN_POET_KEY_FILE} && export POET_PRIVATE_KEY && exec /bin/poet "$@"`;

/** Flags of the PoET that follow from the network (spacemesh.md §7.4). */
export function ownPoetFlags(
  network: Pick<Network, 'genesisTime' | 'layerSeconds' | 'layersPerEpoch'>,
  poet: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
  { flags }: Pick<OwnPoetSettings, 'flags'>,
): readonly string[] {
  return [
    ...['--genesis-time', network.genesisTime],
    ...['--epoch-duration', formatGoDuration(network.layerSeconds * network.layersPerEpoch)],
    ...['--phase-shift', formatGoDuration(poet.phaseShift)],
    ...['--cycle-gap', formatGoDuration(poet.cycleGap)],
    ...['--restlisten', `0.0.0.0:${OWN_POET_PORT}`],
    // Nobody but itself: the second one changes who may register without a proof of work.
    ...['--rpclisten', '127.0.0.1:50002', '--config-rpclisten', '127.0.0.1:50001'],
    ...['--poetdir', FOLDER, '--datadir', `${FOLDER}/data`],
    ...['--dbdir', `${FOLDER}/db`, '--logdir', `${FOLDER}/logs`],
    ...flags,
  ];
}

/**
 * A PoET of one's own, profile `poet`: a plain `up` does not start it. It shares nothing with node and provers, so that
 * adding it recreates nobody.
 */
export function poetService(
  ownPoet: OwnPoetSettings,
  network: Network,
  poet: PoetSettings,
  user: string,
): ComposeService {
  return {
    image: ownPoet.image,
    profiles: [OWN_POET],
    user: ownPoet.user ?? user,
    entrypoint: ['/bin/sh', '-c', START, OWN_POET],
    command: ownPoetFlags(network, poet, ownPoet),
    ports: [`${ownPoet.publish}:${ownPoet.port}:${OWN_POET_PORT}`],
    volumes: [bindMount(ownPoet.data, FOLDER, 'rw')],
    ...(ownPoet.memory === undefined ? {} : { mem_limit: ownPoet.memory }),
    labels: writeLabels({ role: 'poet' }),
    restart: 'unless-stopped',
    ...COMMON_HARDENING,
    tmpfs: ['/tmp'],
    // It handles no other signal (spacemesh.md §7.4); its tree is written down before it ends.
    stop_signal: 'SIGINT',
    stop_grace_period: '2m',
    // A round's work is lost with it, and an epoch of everybody who registered: it goes after provers, before the node.
    oom_score_adj: 200,
    healthcheck: {
      // What alpine has (spacemesh.md §7.4).
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${OWN_POET_PORT}/v1/info`],
      interval: '2m',
      timeout: '5s',
      retries: 3,
      // It rebuilds its tree from disk before it answers.
      start_period: '30m',
      start_interval: '2s',
    } satisfies Healthcheck,
  };
}
