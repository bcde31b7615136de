import { OWN_POET_FOLDERS } from '../../domain/compose/poet.ts';
import type { Owner } from '../../domain/compose/types.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import {
  OWN_POET_ADDRESS,
  OWN_POET_KEY_FILE,
  ownPoetKeyFile,
  publicKeyOfFile,
} from '../../domain/poet/own-poet.ts';
import { addServers } from '../../domain/poet/server-list.ts';
import { editPoet } from '../../domain/project/edit-poet.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { OwnPoetSettings, PoetServer, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { writeProject } from '../init/write-project.ts';
import type { LoadedProject } from '../load-project.ts';
import { nodeOwner } from '../owners.ts';
import { RESTART_NOTE, type WriteOptions } from './change-list.ts';
import { refuseInProcess } from './refuse-in-process.ts';

export interface ServeRequest extends WriteOptions {
  readonly image?: string;
  readonly port?: number;
  readonly publish?: string;
  /** Path as typed; a relative one counts from the project. */
  readonly data?: string;
  /** Also put it into the list of servers. */
  readonly use: boolean;
}

/**
 * `poet serve`: adds a PoET service to the project (profile `poet`): section in smesh.yaml, service in compose.yaml, its
 * folder and its key. Run again it brings back what is missing and changes nothing else. Starts nothing.
 */
export async function servePoet(
  context: Context,
  { project, text }: LoadedProject,
  request: ServeRequest,
): Promise<number> {
  refuseInProcess(project, 'No PoET service can be added');
  const withService = sectionFor(text, project, request);
  const parsed = requireProject(withService, { directory: context.directory }).project;
  const ownPoet = parsed.ownPoet as OwnPoetSettings;
  if (project.ownPoet === undefined) await refuseTakenPort(context, ownPoet);
  const owner = await ownerOf(context, parsed, ownPoet);
  const key = await keyOf(context, ownPoet, parsed.poet.servers);
  const server = { address: OWN_POET_ADDRESS, pubkey: key.publicKey };
  const info = { ...parsed.poet, pubkey: server.pubkey };
  const { servers, added } = request.use
    ? addServers(parsed.poet.servers, [{ address: server.address, info }])
    : { servers: [], added: [] };
  const { exitCode, written } = await writeProject(context, {
    command: 'poet serve',
    text: added.length === 0 ? withService : editPoet(withService, { servers }),
    options: { keys: [], repairKeys: false, dryRun: request.dryRun, force: request.force },
    keyFiles: [],
    prepare: () => makeFolder(context, ownPoet, owner, key.content),
    facts: {
      service: { ...server, port: ownPoet.port, publish: ownPoet.publish, data: ownPoet.data },
      keyMade: key.content !== undefined && !request.dryRun,
      added,
    },
  });
  if (context.json || request.dryRun) return exitCode;
  context.out.result(
    written || key.content !== undefined
      ? `The project has a PoET service: ${ownPoet.publish}:${ownPoet.port} on this host, ${OWN_POET_ADDRESS} for the node, public key ${server.pubkey}.`
      : `The project has its PoET service already (public key ${server.pubkey}). Nothing was changed.`,
  );
  const isListed = parsed.poet.servers.some(({ address }) => address === OWN_POET_ADDRESS);
  explain(context, ownPoet, isListed ? 'listed' : added.length > 0 ? 'added' : 'unused');
  return exitCode;
}

/** smesh.yaml with the section; settings that are there already are the user's, and are not changed by an option. */
function sectionFor(text: string, { ownPoet }: Project, request: ServeRequest): string {
  const { image, port, publish, data } = request;
  const wanted = Object.entries({ image, port, publish, data }).filter(([, value]) => value !== undefined);
  if (ownPoet === undefined) return editPoet(text, { serve: Object.fromEntries(wanted) });
  for (const [key, value] of wanted) {
    const present = ownPoet[key as 'image' | 'port' | 'publish' | 'data'];
    if (present === value || (key === 'data' && String(present).endsWith(`/${String(value)}`))) continue;
    throw new SmeshError(
      'already-set',
      ExitCode.usage,
      `--${key} ${String(value)}: smesh.yaml says ${String(present)} under poet.serve`,
      { hint: 'Nothing was changed. Change it there, then: smesh-compose poet serve' },
    );
  }
  return text;
}

/** Before the first time; afterwards it may be the service itself that has it. */
async function refuseTakenPort(context: Context, { port, publish }: OwnPoetSettings): Promise<void> {
  const owner = await context.ports.system.portOwner(port, publish);
  if (owner === undefined) return;
  throw new SmeshError(
    'port-taken',
    ExitCode.environment,
    `Port ${port} on ${publish} is taken by ${owner.description}`,
    { hint: 'Nothing was changed. Choose another one: smesh-compose poet serve --port PORT' },
  );
}

/** Whom its folder belongs to: as whom it runs. Only root can make files for somebody else. */
async function ownerOf(context: Context, project: Project, { user, data }: OwnPoetSettings): Promise<Owner> {
  const [uid, gid] = (user ?? '').split(':').map(Number);
  const owner =
    user !== undefined && uid !== undefined && gid !== undefined
      ? { uid, gid }
      : await nodeOwner(context, project);
  const me = context.ports.system.user;
  if (me.uid === 0 || me.uid === owner.uid) return owner;
  throw new SmeshError(
    'foreign-owner',
    ExitCode.environment,
    `The service runs as user ${owner.uid}, and ${data} has to belong to it; you are user ${me.uid} and cannot make files for others`,
    { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
  );
}

interface PoetKey {
  readonly publicKey: string;
  /** Of a key file that is still to be written. */
  readonly content?: string;
}

/**
 * The key that is there, or a new one. A file that is none is never overwritten: rounds in work hang on it. No new one is
 * made, and no other one taken, for a server that the list has already: everybody who registered there would lose the epoch.
 */
async function keyOf(
  context: Context,
  { data }: OwnPoetSettings,
  servers: readonly PoetServer[],
): Promise<PoetKey> {
  const { crypto, files } = context.ports;
  const path = `${data}/${OWN_POET_KEY_FILE}`;
  const present = await files.readTextIfPresent(path);
  const listed = servers.find(({ address }) => address === OWN_POET_ADDRESS)?.pubkey;
  if (present === undefined) {
    if (listed !== undefined) throw otherKey(path, listed, 'is not there');
    const seed = crypto.randomBytes(32);
    const publicKey = crypto.publicKeyOfSeed(seed);
    return {
      publicKey: Buffer.from(publicKey).toString('base64'),
      content: ownPoetKeyFile(seed, publicKey),
    };
  }
  const publicKey = publicKeyOfFile(present);
  if (publicKey !== undefined && listed !== undefined && listed !== publicKey)
    throw otherKey(path, listed, `has the public key ${publicKey}`);
  if (publicKey !== undefined) return { publicKey };
  throw new SmeshError(
    'poet-key-file',
    ExitCode.invalid,
    `${path} is not what the PoET service reads: one line POET_PRIVATE_KEY= and base64 of 64 bytes`,
    { hint: 'Nothing was changed. Put the right file back from a backup, or move it away to get a new key.' },
  );
}

function otherKey(path: string, listed: string, found: string): SmeshError {
  return new SmeshError(
    'poet-key',
    ExitCode.refused,
    `poet.servers has ${OWN_POET_ADDRESS} with the public key ${listed}, and ${path} ${found}: with another key it is another server, and identities registered with it would lose the epoch`,
    {
      hint: `Nothing was changed. Put its file back from your copy. If it is lost: smesh-compose poet remove ${OWN_POET_ADDRESS}, then smesh-compose poet serve makes a new key.`,
    },
  );
}

/** Not journaled: the journal is no place for a private key. Each part may be there already. */
async function makeFolder(
  context: Context,
  { data }: OwnPoetSettings,
  owner: Owner,
  key: string | undefined,
): Promise<void> {
  const { files } = context.ports;
  for (const folder of [data, ...OWN_POET_FOLDERS.map((name) => `${data}/${name}`)])
    await files.makeDirectory(folder, { mode: 0o700, ...owner });
  if (key !== undefined) await files.writeNew(`${data}/${OWN_POET_KEY_FILE}`, key, { mode: 0o600, ...owner });
}

const USE_NOTES = {
  listed: 'It stands in poet.servers. What the node makes of it: smesh-compose poet check',
  added: `${RESTART_NOTE}.`,
  unused: 'The node does not use it yet. Once it runs: smesh-compose poet serve --use',
} as const;

function explain(context: Context, ownPoet: OwnPoetSettings, use: 'listed' | 'added' | 'unused'): void {
  const { out } = context;
  out.note(
    [
      `Start it:  docker compose --profile poet up -d poet   (needs up to 4 GiB of memory and one core, all the time)`,
      'It begins with the next round to start and cannot join one that runs; stopped for long, its round is lost for all who registered.',
      `Its key is in ${ownPoet.data}/${OWN_POET_KEY_FILE} (0600): keep a copy.`,
      USE_NOTES[use],
    ].join('\n'),
  );
}
