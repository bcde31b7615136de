import * as z from 'zod';
import { parseSmesherId } from '../identity/smesher-id.ts';
import { isGenesisTime, poetPublicKey } from '../node/networks.ts';
import { parseByteRate } from './byte-rate.ts';
import { parseGoDuration } from './duration.ts';
import { PROJECT_NAME, SERVICE_NAME } from './name.ts';
import { pathFault } from './paths.ts';

/*
 * The shape of smesh.yaml, key by key. Messages are clauses that follow `identities[3].nonces: `. The descriptions
 * become docs/reference/smesh-yaml.md. What concerns several keys at once stands in rules/.
 */

const quoted = (value: unknown) => JSON.stringify(value);

/** Not `min(1)`: that asks whatever has a `length` for it, also a mapping with such a key, and throws at what it gets. */
const isNotEmpty = (text: string) => text !== '';

function integer(min: number, max: number) {
  return z.number().refine((value) => Number.isInteger(value) && value >= min && value <= max, {
    error: (issue) => `${quoted(issue.input)} is not a whole number from ${min} to ${max}`,
  });
}

const duration = z
  .string()
  .refine((text) => parseGoDuration(text) !== undefined, {
    error: (issue) =>
      `${quoted(issue.input)} is no duration; write hours, minutes and seconds: 240h, 1h30m, 90s`,
  })
  .transform((text) => parseGoDuration(text) ?? 0);

const path = z.string().superRefine((text, context) => {
  const fault = pathFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `${quoted(text)} ${fault}` });
});

const smesherId = z.string().transform((text, context) => {
  const id = parseSmesherId(text);
  if (id !== undefined) return id;
  const what =
    text.length === 128
      ? '128 hex digits are a private key: never write one here'
      : `${text.length} characters`;
  context.addIssue({ code: 'custom', message: `a smesher ID is 64 hex digits (${what})` });
  return z.NEVER;
});

const hex64 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
  .transform((text) => text.toLowerCase());

const user = z.string().regex(/^\d{1,10}:\d{1,10}$/, {
  error: (issue) => `${quoted(issue.input)} is not of the form uid:gid, such as '1000:1000'`,
});

const memory = z.string().regex(/^[1-9]\d*(\.\d+)?(b|k|kb|m|mb|g|gb)$/i, {
  error: (issue) => `${quoted(issue.input)} is no amount of memory such as 3g or 768m`,
});

const httpUrl = z.string().regex(/^https?:\/\/[^\s/?#]+[^\s]*$/, {
  error: (issue) => `${quoted(issue.input)} does not begin with http:// or https:// and a host`,
});

const serviceName = z.string().regex(SERVICE_NAME, {
  error: (issue) =>
    `${quoted(issue.input)} is no service name: small letters, digits and hyphens, such as post-0001`,
});

const nonces = z
  .number()
  .refine((value) => Number.isInteger(value) && value >= 16 && value <= 4096 && value % 16 === 0, {
    error: (issue) => {
      const value = Number(issue.input);
      if (value > 4096) return `${value} is more than 4096, the most a post-service takes`;
      return `${value} is not a multiple of 16 (128 and 288 are usual)`;
    },
  });

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

const byteRate = z
  .string()
  .refine((text) => parseByteRate(text) !== undefined, {
    error: (issue) => `${quoted(issue.input)} is no speed of reading such as 180MB/s`,
  })
  .transform((text) => parseByteRate(text) ?? 0);

const scheduleSchema = z.strictObject({
  k2pow: integer(1, 1024)
    .optional()
    .describe(
      'Post-services that do k2pow here at the same time. Default: one, or as many as fit the cores with their threads.',
    ),
  remoteK2pow: integer(1, 1024)
    .optional()
    .describe('Post-services that use the same k2pow-service at the same time. Default: 1.'),
  memory: memory
    .optional()
    .describe('Memory for all proofs together. Default: what the host has, less 4 GiB for node and system.'),
  threads: integer(1, 65_536)
    .optional()
    .describe(
      'Threads of all post-services that work at the same time. Default: no limit but the k2pow slots.',
    ),
  ahead: z
    .boolean()
    .optional()
    .describe('k2pow of the next identity while its disk is read by another one. Default: true.'),
  every: duration
    .refine((seconds) => seconds >= 1 && seconds <= 3600, 'is not between 1s and 1h')
    .optional()
    .describe('Longest time between two looks. Default: 15s.'),
  rates: z
    .strictObject({
      k2pow: z
        .number()
        .refine((rate) => Number.isFinite(rate) && rate > 0, {
          error: (issue) => `${quoted(issue.input)} is no number of hashes per second`,
        })
        .optional()
        .describe('RandomX hashes per second of the whole host. Default: as measured.'),
      disks: z
        .record(z.string(), byteRate)
        .optional()
        .describe('How fast one reader reads each disk: `{sda: 180MB/s}`. Default: as measured.'),
    })
    .optional()
    .describe('How fast this host is, where it is known better than measured.'),
  orchestrator: z
    .boolean()
    .optional()
    .describe(
      'Adds a service to compose.yaml that runs the schedule, instead of a systemd unit. Default: false.',
    ),
  image: z
    .string()
    .refine(isNotEmpty, 'is empty')
    .optional()
    .describe("What the orchestrator's image is built from: Node.js 20 or newer. Default: `node:20-slim`."),
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
  schedule: scheduleSchema.optional().describe('Budgets of the schedule (`smesh-compose run`).'),
});

/** smesh.yaml as written: checked key by key, durations in seconds, no defaults filled in. */
export type ProjectFile = z.output<typeof projectFileSchema>;
