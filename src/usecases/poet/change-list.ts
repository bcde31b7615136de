import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { addServers, requireAddress, requireFit } from '../../domain/poet/server-list.ts';
import { editPoet } from '../../domain/project/edit-poet.ts';
import type { PoetServer, Project } from '../../domain/project/types.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { writeProject } from '../init/write-project.ts';
import type { LoadedProject } from '../load-project.ts';
import { type AskedServer, askServers } from './ask-servers.ts';
import { refuseInProcess } from './refuse-in-process.ts';

export interface WriteOptions {
  readonly dryRun: boolean;
  /** Overwrite generated files that a person changed. */
  readonly force: boolean;
}

export interface AddRequest extends WriteOptions {
  readonly addresses: readonly string[];
  /** What the server's key must be. */
  readonly pubkey?: string;
  readonly timeoutMs: number;
}

const NEXT =
  'The node reads the list only when it starts: smesh-compose up restarts it in a safe moment (about 3 min; no proof is lost, and post-services stay as they are)';

/**
 * `poet add`: asks each server who it is, refuses what would stop the node or mislead it, puts the entries at the end of
 * the list and generates what follows. Asked twice for the same it changes nothing.
 */
export async function addPoets(
  context: Context,
  { project, text }: LoadedProject,
  request: AddRequest,
): Promise<number> {
  for (const address of request.addresses) requireAddress(address);
  if (request.pubkey !== undefined && request.addresses.length > 1) {
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      '--pubkey is that of one server: add them one by one',
      {
        hint: 'Nothing was changed.',
      },
    );
  }
  refuseInProcess(project, 'No PoET can be added');
  const asked = await askServers(context, project, { ...request, rounds: 0 });
  const offered = asked.map((one) => {
    const info = requireAnswer(one);
    const server = { address: one.address, info };
    requireFit(server, project.poet, request.pubkey);
    return server;
  });
  const { servers, added, present, otherSpellings } = addServers(project.poet.servers, offered);
  for (const server of added) context.out.note(`${server.address}   public key ${server.pubkey}`);
  warnOfSpellings(context, otherSpellings, offered);
  warnOfKeys(
    context,
    project,
    added.filter(({ address }) => !otherSpellings.has(address)),
  );
  const { exitCode, written } = await writeProject(context, {
    command: 'poet add',
    text: added.length === 0 ? text : editPoet(text, { servers }),
    options: { keys: [], repairKeys: false, dryRun: request.dryRun, force: request.force },
    keyFiles: [],
    facts: { added, present, servers },
  });
  if (context.json) return exitCode;
  if (present.length > 0)
    context.out.result(`${names(present)} ${present.length === 1 ? 'is' : 'are'} in the list already.`);
  if (added.length > 0 && request.dryRun) context.out.note(`${NEXT}.`);
  if (added.length > 0 && written) {
    context.out.result(
      `Added ${names(added)}; the list has ${plural(servers.length, 'PoET server')}. ${NEXT}.`,
    );
    context.out.note('What it will do: smesh-compose plan');
  }
  if (!written && !request.dryRun) context.out.note('Nothing was changed.');
  return exitCode;
}

export function names(servers: readonly { readonly address: string }[]): string {
  return servers.map(({ address }) => address).join(', ');
}

/** Whoever cannot be asked cannot be checked, and would delay every start of the node (spacemesh.md §9.1 hazard 15). */
function requireAnswer({ address, info }: AskedServer) {
  if (info.kind === 'answered') return info.info;
  const reason = info.kind === 'late' ? `no answer within ${info.afterMs / 1000} s` : info.reason;
  throw new SmeshError(
    'poet-unreachable',
    ExitCode.environment,
    info.kind === 'malformed'
      ? `What answers at ${address} is no PoET: ${reason}`
      : `${address} does not answer: ${reason}`,
    {
      details: [
        'Its key, phase shift and cycle gap could not be checked, and a dead server delays every start of the node by 9 to 18 minutes.',
      ],
      hint: `Nothing was changed. Try it: curl ${address.replace(/\/+$/, '')}/v1/info`,
    },
  );
}

function warnOfSpellings(
  context: Context,
  spellings: ReadonlyMap<string, string>,
  offered: readonly { readonly address: string }[],
): void {
  for (const { address } of offered) {
    const other = spellings.get(address);
    if (other === undefined) continue;
    context.out.warn(
      `${address} and ${other} are one place: the node takes each spelling for a server of its own, registers with both, and one is no spare for the other. Leave one: smesh-compose poet remove ${address}`,
    );
  }
}

/** The same key under another name is the same server. */
function warnOfKeys(context: Context, project: Project, added: readonly PoetServer[]): void {
  for (const { address, pubkey } of added) {
    const same = project.poet.servers.find(
      (server) => server.pubkey === pubkey && server.address !== address,
    );
    if (same === undefined) continue;
    context.out.warn(`${address} has the key of ${same.address}: it is the same server by another name.`);
  }
}

export { NEXT as RESTART_NOTE };
