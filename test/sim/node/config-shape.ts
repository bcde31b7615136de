/**
 * Which keys the node's config file may have, and of which type (go-spacemesh v1.7.6; spacemesh.md §1.2).
 * Keys are compared in lower case. Fields without a documented key go by their Go name, which is how the
 * undocumented service lists of `api` are set.
 */

export type Kind =
  | 'string'
  | 'bool'
  | 'int'
  | 'uint'
  | 'float'
  | 'duration'
  | 'strings'
  | 'ints'
  | 'numbers'
  | 'time'
  | 'hex32'
  | 'base64'
  | 'provider'
  | 'deprecated';

export type Shape =
  | Kind
  | { readonly [key: string]: Shape }
  | { readonly list: Shape }
  | { readonly map: Shape };

/** `keys('int', 'a b c')`: several keys of one kind. */
function keys<K extends Shape>(kind: K, names: string): Record<string, K> {
  return Object.fromEntries(names.split(' ').map((name) => [name, kind]));
}

const hare = {
  ...keys('bool', 'enable log-stats'),
  ...keys('uint', 'enable-layer disable-layer committee leaders iterations-limit'),
  ...keys('duration', 'preround-delay round-duration'),
  protocolname: 'string',
  committeeupgrade: keys('uint', 'layer size'),
} as const;

const logModules =
  'app clock p2p post postservice statedb beacon cacheddb poetdb trtl atxhandler atxbuilder mesh sync hareoracle ' +
  'hare blockcert blockgenerator blockhandler txhandler proposalstore proposalbuilder proposallistener ' +
  'nipostbuilder nipostvalidator fetcher timesync vm grpc constate executor malfeasance bootstrap';

export const configShape = {
  preset: 'string',
  main: {
    ...keys('string', 'data-folder filelock profiler-name profiler-url pprof-listener network-hrp'),
    ...keys('bool', 'standalone metrics pprof-server pprof-mutex-profile pprof-block-profile'),
    ...keys('bool', 'db-latency-metering db-query-cache db-allow-schema-drift no-main-override'),
    ...keys('int', 'metrics-port txs-per-proposal optimistic-filtering-threshold db-connections'),
    ...keys('int', 'db-vacuum-state miner-good-atxs-percent'),
    ...keys('uint', 'layer-average-size layers-per-epoch block-gas-limit tick-size prune-activesets-from'),
    ...keys('duration', 'layer-duration db-size-metering-interval db-prune-interval regossip-atx-interval'),
    ...keys('duration', 'atx-grade-delay post-valid-delay'),
    'poet-server': 'deprecated',
    'poet-servers': { list: { address: 'string', pubkey: 'base64' } },
    'db-skip-migrations': 'ints',
    'db-query-cache-sizes': keys('int', 'epoch-atxs atx-blob active-set-blob'),
    'atx-versions': { map: 'uint' },
  },
  genesis: { 'genesis-time': 'time', 'genesis-extra-data': 'string', accounts: { map: 'uint' } },
  'public-metrics': {
    ...keys('string', 'metrics-url metrics-push-user metrics-push-pass'),
    'metrics-push-period': 'duration',
    'metrics-push-header': { map: 'string' },
  },
  tortoise: {
    ...keys('uint', 'tortoise-hdist tortoise-zdist tortoise-window-size tortoise-delay-layers'),
    ...keys('int', 'tortoise-max-exceptions'),
    'tortoise-enable-tracer': 'bool',
    'tortoise-collect-details': 'uint',
  },
  p2p: {
    ...keys('duration', 'gracepeersshutdown ping-interval'),
    ...keys('int', 'maxmessagesize min-peers low-peers high-peers p2p-accept-queue gossip-queue-size'),
    ...keys(
      'int',
      'gossip-peer-outbound-queue-size gossip-validation-throttle gossip-atx-validation-throttle',
    ),
    ...keys('int', 'gossip-eviction-strategy'),
    ...keys('bool', 'disable-reuseport disable-natport disable-connection-manager disable-resource-manager'),
    ...keys(
      'bool',
      'disable-dht disable-pubsub flood autoscale-peers p2p-metrics p2p-bootnode force-dht-server',
    ),
    ...keys('bool', 'p2p-holepunching p2p-private-network relay enable-tcp-transport enable-quic-transport'),
    ...keys('bool', 'enable-routing-discovery routing-discovery-advertise'),
    ...keys('strings', 'listen bootnodes direct advertise-address ip4-blocklist ip6-blocklist ping-peers'),
    ...keys('strings', 'static-relays'),
    ...keys('float', 'inbound-fraction outbound-fraction'),
    'p2p-reachability': 'string',
    'relay-server': {
      enable: 'bool',
      ...keys('duration', 'ttl conn-duration-limit'),
      ...keys('int', 'reservations conn-data-limit max-circuits buffer-size max-reservations-per-peer'),
      ...keys('int', 'max-reservations-per-ip max-reservations-per-asn'),
    },
    'discovery-timings': keys(
      'duration',
      'advertise-delay advertise-interval advertise-interval-spread advertise-retry-delay ' +
        'find-peers-retry-delay min-backoff max-backoff min-conn-backoff max-conn-backoff dial-timeout',
    ),
    'auto-nat-server': { ...keys('int', 'global-max peer-max'), 'reset-period': 'duration' },
  },
  api: {
    ...keys('string', 'grpc-public-listener grpc-private-listener grpc-post-listener grpc-tls-listener'),
    ...keys('string', 'grpc-tls-ca-cert grpc-tls-cert grpc-tls-key grpc-json-listener'),
    ...keys(
      'strings',
      'grpc-tls-services grpc-cors-allowed-origins publicservices privateservices postservices',
    ),
    ...keys('int', 'grpc-send-msg-size grpc-recv-msg-size db-connections'),
    smesherstreaminterval: 'duration',
  },
  hare3: hare,
  hare4: hare,
  'hare-eligibility': { 'eligibility-confidence-param': 'uint' },
  certificate: { 'committee-size': 'int' },
  beacon: {
    ...keys('int', 'beacon-kappa beacon-sync-weight-units'),
    ...keys('uint', 'beacon-rounds-number beacon-votes-limit'),
    ...keys('string', 'beacon-q beacon-theta'),
    ...keys('duration', 'beacon-grace-period-duration beacon-proposal-duration beacon-voting-round-duration'),
    ...keys('duration', 'beacon-first-voting-round-duration beacon-weak-coin-round-duration'),
  },
  time: {
    peersync: {
      disable: 'bool',
      ...keys('duration', 'round-retry-interval round-interval round-timeout max-clock-offset'),
      ...keys('int', 'max-offset-errors required-responses'),
    },
  },
  vm: { genesisid: 'string', gaslimit: 'uint' },
  certifier: { client: { ...keys('duration', 'retry-delay max-retry-delay'), 'max-retries': 'int' } },
  post: {
    ...keys('uint', 'post-min-numunits post-max-numunits post-labels-per-unit post-k1 post-k2 post-k3'),
    'post-pow-difficulty': 'hex32',
  },
  postservice: keys('string', 'postservicecmd nodeaddress cacert cert key'),
  poet: {
    ...keys('duration', 'phase-shift cycle-gap grace-period poet-request-timeout retry-delay info-cache-ttl'),
    ...keys('duration', 'pow-params-cache-ttl positioning-atx-selection-timeout'),
    ...keys('int', 'retry-max poet-proofs-cache'),
  },
  smeshing: {
    'smeshing-start': 'bool',
    'smeshing-coinbase': 'string',
    'smeshing-opts': {
      'smeshing-opts-datadir': 'string',
      ...keys('uint', 'smeshing-opts-numunits smeshing-opts-maxfilesize smeshing-opts-compute-batch-size'),
      'smeshing-opts-provider': 'provider',
      'smeshing-opts-throttle': 'bool',
      'smeshing-opts-scrypt': keys('uint', 'n r p'),
    },
    'smeshing-proving-opts': {
      ...keys('uint', 'smeshing-opts-proving-threads smeshing-opts-proving-nonces'),
      'smeshing-opts-proving-randomx-mode': 'string',
    },
    'smeshing-verifying-opts': {
      'smeshing-opts-verifying-disable': 'bool',
      ...keys('int', 'smeshing-opts-verifying-workers smeshing-opts-verifying-min-workers'),
      'smeshing-opts-verifying-powflags': 'uint',
    },
  },
  logging: { 'log-encoder': 'string', ...keys('string', logModules) },
  fetch: {
    ...keys('duration', 'batchtimeout request-timeout request-hard-timeout log-peer-stats-interval'),
    ...keys('int', 'batchsize queuesize maxretriesforrequest getatxsconcurrency'),
    ...keys('bool', 'servers-metrics streaming'),
    servers: { map: { ...keys('int', 'queue requests'), interval: 'duration' } },
    'decaying-tag': { interval: 'duration', ...keys('int', 'inc dec cap') },
  },
  bootstrap: keys('string', 'bootstrap-url bootstrap-version'),
  syncer: {
    ...keys('duration', 'interval maxstaleduration gossipduration'),
    epochendfraction: 'float',
    'disable-mesh-agreement': 'bool',
    'out-of-sync-threshold': 'uint',
    'atx-sync': {
      ...keys('duration', 'epoch-info-request-interval progress-on-time'),
      ...keys('int', 'epoch-info-peers requests-limit atxs-batch'),
      'progress-every-fraction': 'float',
    },
    'malfeasance-sync': {
      ...keys('duration', 'id-request-interval retry-interval'),
      ...keys('int', 'malfeasance-id-peers min-sync-peers max-batch-size requests-limit'),
      'max-epoch-fraction': 'float',
    },
  },
  recovery: { 'recovery-uri': 'string', 'recovery-layer': 'uint', 'preserve-own-atx': 'bool' },
  cache: keys('int', 'atx-size malfeasance-size'),
  'active-set-preparation': { ...keys('duration', 'window retry-interval'), tries: 'int' },
} as const satisfies Record<string, Shape>;
