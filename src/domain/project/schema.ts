import * as z from 'zod';
import { isGenesisTime, poetPublicKey } from '../node/networks.ts';
import { backupSchema } from './backup-schema.ts';
import { PROJECT_NAME } from './name.ts';
import { poetServeSchema } from './poet-serve-schema.ts';
import { scheduleSchema } from './schedule-schema.ts';
import {
  duration,
  hex64,
  httpUrl,
  integer,
  isNotEmpty,
  memory,
  nonces,
  path,
  quoted,
  serviceName,
  smesherId,
  user,
} from './schema-parts.ts';

/*
 * The shape of smesh.yaml, key by key. Messages are clauses that follow `identities[3].nonces: `. The descriptions
 * become docs/reference/smesh-yaml.md. What concerns several keys at once stands in rules/.
 */

const proverShape = {
  image: z.string().optional().describe('Image of the post-service: a named release, never `latest`.'),
  nonces: nonces
    .optional()
    .describe(
      'Nonces tried per pass over the data, a multiple of 16. More cost more k2pow and need fewer passes.',
    ),
  threads: integer(0, 1024)
    .optional()
    .describe('Threads that prove; 0 means all cores. Not together with pinnedCores.'),
  pinnedCores: z
    .array(integer(0, 4095))
    .refine((cores) => cores.length > 0, 'names no core')
    .optional()
    .describe('Cores to prove on, one thread each, instead of a number of threads.'),
  randomx: z
    .enum(['fast', 'light'])
    .optional()
    .describe(
      'RandomX mode of the k2pow: fast takes 2.3 GiB while it runs, light 260 MiB and about ten times as long.',
    ),
  memory: memory
    .optional()
    .describe('Memory limit of the container. Default: 3g for fast, 768m for light or remote k2pow.'),
  log: z
    .string()
    .optional()
    .describe('RUST_LOG of the post-service. Never less than info: phases are told from the log.'),
  remoteK2pow: z
    .strictObject({
      url: httpUrl.describe('Address of the k2pow-service or of the balancer before several.'),
      parallelism: integer(1, 256).optional().describe('Nonce groups asked for at the same time.'),
      backoffSeconds: integer(1, 3600).optional().describe('Seconds between two questions for one result.'),
    })
    .optional()
    .describe('Lets k2pow-services elsewhere do the k2pow.'),
};

const poetServer = z.strictObject({
  address: httpUrl.describe('Exactly as registered with: another spelling counts as another PoET.'),
  pubkey: z
    .string({
      error: (issue) =>
        issue.input === undefined
          ? "is missing: without the PoET's public key the node crashes at the end of every round"
          : undefined,
    })
    .regex(/^[A-Za-z0-9+/]{43}=$/, "must be the PoET's public key, 32 bytes in base64 (44 characters)")
    .describe("The PoET's public key, base64 of 32 bytes."),
});

const standalone = z.strictObject({
  genesisTime: z
    .string()
    .refine(isGenesisTime, {
      error: (issue) => `${quoted(issue.input)} is no time such as 2030-01-01T00:00:00Z`,
    })
    .describe("When the network begins, UTC. Frozen with the node's first start."),
  poetPrivateKey: z
    .string()
    .refine((text) => poetPublicKey(text) !== undefined, 'must be base64 of 64 bytes: seed and public key')
    .describe('Throw-away key of the in-process PoET, base64 of seed and public key.'),
  externalPoets: z
    .boolean()
    .optional()
    .describe(
      'The node runs no PoET of its own, those under poet.servers are. The network then needs other nodes, too.',
    ),
  layer: duration.optional().describe('Length of a layer.'),
  layersPerEpoch: integer(2, 100_000).optional().describe('Layers in an epoch.'),
  labelsPerUnit: integer(16, 2 ** 40)
    .optional()
    .describe('Labels in a space unit; 16 bytes each.'),
  minUnits: integer(1, 2 ** 32 - 1)
    .optional()
    .describe('Fewest units of an identity.'),
  maxUnits: integer(1, 2 ** 32 - 1)
    .optional()
    .describe('Most units of an identity.'),
  k1: integer(1, 2 ** 32 - 1)
    .optional()
    .describe('K1 of the proof.'),
  k2: integer(1, 2 ** 32 - 1)
    .optional()
    .describe('K2 of the proof.'),
  k3: integer(1, 2 ** 32 - 1)
    .optional()
    .describe('K3 of the proof.'),
  powDifficulty: hex64.optional().describe('Difficulty of the k2pow, 64 hex digits.'),
  scrypt: z
    .strictObject({
      n: integer(2, 2 ** 30)
        .refine((n) => Number.isInteger(Math.log2(n)), 'must be a power of two')
        .describe('Cost N, a power of two.'),
      r: integer(1, 1024).describe('Block size r.'),
      p: integer(1, 1024).describe('Parallelism p.'),
    })
    .optional()
    .describe('Parameters of the labels; data made with others is refused.'),
});

export const networkSchema = z.union([
  z.enum(['mainnet', 'testnet']),
  z.strictObject({ standalone: standalone.describe('A private network of one node.') }),
]);

const identity = z.strictObject({
  id: smesherId.describe('Smesher ID: 64 hex digits, the public key.'),
  name: serviceName.describe('Name of its service. Never used again for another identity.'),
  data: path.describe('Its PoST directory. A relative path counts from the folder of smesh.yaml.'),
  disk: z
    .string()
    .refine(isNotEmpty, 'is empty')
    .optional()
    .describe('Overrides the detection of disks: equal words share one reader.'),
  user: user
    .optional()
    .describe("What its post-service runs as. Default: the owner of the directory's files."),
  ...proverShape,
});

const initialisationJob = z.strictObject({
  id: smesherId.describe('Smesher ID whose data is made; its key must exist already.'),
  name: serviceName.describe('Name of the job in Compose.'),
  data: path.describe('Directory that is filled.'),
  units: integer(1, 2 ** 32 - 1).describe('Space units. Fewer than before would delete data.'),
  provider: integer(0, 2 ** 32 - 1)
    .optional()
    .describe('Number of the OpenCL provider as seen in the container; 4294967295 is the CPU.'),
  commitmentAtx: hex64.describe('ATX the data commits to, 64 hex digits.'),
  maxFileSize: integer(1024, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Bytes per data file. Default: 4 GiB.'),
  fromFile: integer(0, 2 ** 31)
    .optional()
    .describe('First file, where several jobs share one identity.'),
  toFile: integer(0, 2 ** 31)
    .optional()
    .describe('Last file, inclusive.'),
  device: z
    .union([z.string().refine(isNotEmpty, 'is empty'), z.number().int().nonnegative()])
    .transform(String)
    .optional()
    .describe('The one of `devices` that this job has for itself. Default: they are dealt out in turn.'),
  into: path
    .optional()
    .describe('Directory in which the parts of this identity are joined when all of them are complete.'),
  identity: serviceName.optional().describe('Name that the identity gets when its data is complete.'),
  user: user.optional().describe('What the job runs as. Default: the owner of the directory.'),
});

export const projectFileSchema = z.strictObject({
  version: z
    .literal(1, {
      error: (issue) =>
        issue.input === undefined
          ? 'is missing: write version: 1'
          : `${quoted(issue.input)} is not known to this release; it reads version 1`,
    })
    .describe('Version of this file format.'),
  name: z
    .string()
    .regex(PROJECT_NAME, {
      error: (issue) =>
        `${quoted(issue.input)} is no Compose project name: small letters, digits, hyphens, first a letter or digit`,
    })
    .optional()
    .describe("Compose project name. Default: the directory's name made legal."),
  network: networkSchema.describe('mainnet, testnet, or a private network under `standalone`.'),
  coinbase: z.string().describe('Account that earns the rewards, bech32 with the prefix of the network.'),
  node: z
    .strictObject({
      image: z.string().optional().describe('Image of go-spacemesh: a named release, never `latest`.'),
      data: path.optional().describe('Its data folder. Default: node-data beside smesh.yaml.'),
      ports: z
        .strictObject({
          p2p: integer(1, 65_535).optional().describe('Port for other nodes, published on all addresses.'),
          publicApi: integer(1, 65_535)
            .optional()
            .describe('Port of the public API, published on 127.0.0.1.'),
          privateApi: integer(1, 65_535)
            .optional()
            .describe('Port of the private API, published on 127.0.0.1.'),
        })
        .optional()
        .describe('Ports on the host.'),
      config: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("Overrides of the node's own configuration, merged last; lists are replaced whole."),
      user: user.optional().describe('What the node runs as. Default: the owner of its data folder.'),
      memory: memory.optional().describe('Memory limit of the node. Default: none.'),
      subnet: z
        .string()
        .regex(/^\d{1,3}(\.\d{1,3}){3}\/(8|9|1\d|2[0-8])$/, {
          error: (issue) => `${quoted(issue.input)} is no subnet such as 172.30.0.0/16`,
        })
        .optional()
        .describe("Subnet of the project's network. Default: the engine chooses one."),
    })
    .optional()
    .describe('The one node that serves all identities.'),
  poet: z
    .strictObject({
      servers: z
        .array(poetServer)
        .optional()
        .describe('PoETs to register with. Default: those of the network.'),
      phaseShift: duration.optional().describe("Start of a PoET's round after the start of the epoch."),
      cycleGap: duration.optional().describe('Time between two rounds: proofs must be made in it.'),
      gracePeriod: duration.optional().describe('How long before the round the node registers.'),
      positioningAtxTimeout: duration
        .optional()
        .describe('How long the node looks for the best positioning ATX.'),
      retryDelay: duration.optional().describe('First pause after a failed request to a PoET.'),
      retryMax: integer(0, 100).optional().describe('Tries per request to a PoET.'),
      requestTimeout: duration.optional().describe('Longest request. Default: what the tries take together.'),
      serve: poetServeSchema.optional().describe("A PoET service of one's own, Compose profile `poet`."),
    })
    .optional()
    .describe('PoETs and their rhythm. Default: those of the network.'),
  defaults: z
    .strictObject(proverShape)
    .optional()
    .describe('Settings of every post-service that does not set its own.'),
  identities: z.array(identity).describe('One entry per PoST directory.'),
  retired: z
    .array(
      z.strictObject({
        id: smesherId.describe('Its smesher ID.'),
        name: serviceName.describe('The name it had, and gets back when it returns.'),
      }),
    )
    .optional()
    .describe('Identities that were removed. Their names stay theirs.'),
  init: z
    .strictObject({
      image: z.string().optional().describe('Image of postcli: a named release, never `latest`.'),
      gpu: z.enum(['nvidia', 'amd', 'intel', 'cpu']).describe('What computes the labels.'),
      devices: z
        .array(
          z
            .union([z.string().refine(isNotEmpty, 'is empty'), z.number().int().nonnegative()])
            .transform(String),
        )
        .optional()
        .describe(
          'NVIDIA: indices or UUIDs. AMD, Intel: render nodes such as /dev/dri/renderD128. Default: all.',
        ),
      jobs: z.array(initialisationJob).describe('One entry per directory to be filled.'),
    })
    .optional()
    .describe('Jobs that make PoST data, Compose profile `init`.'),
  backup: backupSchema.optional().describe('Where backups go, and who can open them.'),
  schedule: scheduleSchema.optional().describe('Budgets of the schedule (`smesh-compose run`).'),
});

/** smesh.yaml as written: checked key by key, durations in seconds, no defaults filled in. */
export type ProjectFile = z.output<typeof projectFileSchema>;
