import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../identity/smesher-id.ts';
import { BACKUP_REASONS } from './file-name.ts';

/** Name of the first entry: what is in the archive, and where it was. */
export const CONTENTS_ENTRY = 'contents.json';

/** Name of the last one: the digest of the first. */
export const SEAL_ENTRY = 'contents.sha256';

/** More would be no list of contents: a host has hundreds of identities, each with some files. */
export const LARGEST_CONTENTS = 64 * 1024 * 1024;

const smesherId = z.string().transform((text, context): SmesherId => {
  const id = parseSmesherId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a smesher ID' });
  return id as SmesherId;
});

const entrySchema = z.object({
  /** In the archive. */
  path: z.string(),
  kind: z.enum([
    'project',
    'history',
    'key',
    'lease',
    'data-key',
    'retired-key',
    'database',
    'state',
    'genesis',
    'p2p',
    'poet-key',
    'metadata',
  ]),
  /** Where it was, absolute. */
  origin: z.string(),
  size: z.number().int().nonnegative(),
  /** Bits such as 0o600. */
  mode: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Has a private key in it: never in a plain archive. */
  secret: z.boolean(),
  /** Whose key it is, or whose metadata. Absent for a key file that the node would refuse. */
  smesherId: smesherId.optional(),
  /** Of databases: `PRAGMA user_version`. */
  userVersion: z.number().int().optional(),
});

const diskSchema = z.object({
  disk: z.string().optional(),
  mountPoint: z.string().optional(),
  fileSystem: z.string().optional(),
  uuid: z.string().optional(),
  /** `LUKS2`: what must be opened before the data can be read. */
  encryption: z.string().optional(),
});

const ownerSchema = z.object({ uid: z.number().int(), gid: z.number().int() });

export const contentsSchema = z.object({
  schemaVersion: z.literal(1),
  tool: z.string(),
  project: z.string(),
  directory: z.string(),
  createdAt: z.iso.datetime(),
  reason: z.enum(BACKUP_REASONS),
  host: z.string(),
  network: z.object({ name: z.string(), genesisTime: z.string(), genesisId: z.string() }),
  nodeData: z.string(),
  /** Whom the folders belonged to: root gives what it restores to them. */
  owners: z.object({ node: ownerSchema.optional(), project: ownerSchema.optional() }),
  withKeys: z.boolean(),
  identities: z.array(
    z.object({ id: smesherId, name: z.string(), data: z.string(), disk: diskSchema.optional() }),
  ),
  /** Whose PoST data was being made: their keys wait for it. */
  beingMade: z.array(z.object({ id: smesherId, name: z.string() })).optional(),
  entries: z.array(entrySchema),
  /** What could not be had, and why. */
  missing: z.array(z.object({ path: z.string(), why: z.string() })),
});

export type Contents = Readonly<z.output<typeof contentsSchema>>;
export type BackupEntry = Readonly<z.output<typeof entrySchema>>;
export type DiskPlace = Readonly<z.output<typeof diskSchema>>;

/** What the first entry says; a fault as a clause where it cannot be read. */
export function readContents(text: string): Contents | { readonly fault: string } {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { fault: 'its list of contents is no JSON' };
  }
  const version = (content as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > 1)
    return { fault: `a newer smesh-compose made it (format ${version})` };
  const parsed = contentsSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: `its list of contents has a fault at ${issue?.path.join('.') ?? 'its beginning'}` };
  }
  const origins = new Set(parsed.data.entries.map(({ origin }) => origin));
  const paths = new Set(parsed.data.entries.map(({ path }) => path));
  if (paths.size !== parsed.data.entries.length || origins.size !== paths.size || paths.has(CONTENTS_ENTRY))
    return { fault: 'its list of contents names something twice' };
  return parsed.data;
}
