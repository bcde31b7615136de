import { hours } from '../../domain/doctor/poet.ts';
import { ExitCode } from '../../domain/errors.ts';
import { epochClock, roundEnd } from '../../domain/poet/epochs.ts';
import { addressesMissing, countByAddress } from '../../domain/poet/registrations.ts';
import { runningRound } from '../../domain/poet/rounds.ts';
import type { Project } from '../../domain/project/types.ts';
import { momentHere } from '../../ui/moments.ts';
import { renderPoetList, serversToJson } from '../../ui/poet.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { askServers } from './ask-servers.ts';
import { readRegistrations } from './read-registrations.ts';
import { isInProcess } from './refuse-in-process.ts';

export interface ListRequest {
  readonly timeoutMs: number;
  /** How many of the last finished rounds to ask for. */
  readonly rounds: number;
}

/** Leaves of a tick on mainnet (spacemesh.md §1.2). What the other networks have is not known here. */
const TICK_SIZE = 9_331_200;

/** `poet list`: the servers of smesh.yaml, what each says of itself, its work, and who is registered there. Reads only. */
export async function listPoets(context: Context, project: Project, request: ListRequest): Promise<number> {
  const { poet } = project;
  const own = isInProcess(project);
  const addresses = poet.servers.map(({ address }) => address);
  const [asked, registrations] = await Promise.all([
    own ? [] : askServers(context, project, { ...request, addresses }),
    readRegistrations(context, project),
  ]);
  const registered = countByAddress(registrations);
  const elsewhere =
    registrations.kind === 'known' ? addressesMissing(registrations.identities, addresses) : [];
  const clock = epochClock(project.network, poet);
  const now = context.clock.now();
  const running = runningRound(clock, now);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      phaseShiftSeconds: poet.phaseShift,
      cycleGapSeconds: poet.cycleGap,
      runningRound: running ?? null,
      inProcess: own,
      registrationsKnown: registered !== undefined,
      registeredElsewhere: elsewhere,
      servers: own
        ? poet.servers.map(({ address, pubkey }) => ({ address, pubkey, inList: true, reachable: null }))
        : serversToJson(asked, poet.servers, registered),
    });
    return ExitCode.ok;
  }
  const moment = {
    now,
    localOffsetMinutes: (at: number) => context.clock.localOffsetMinutes(at),
    seconds: project.network.layerSeconds < 60,
  };
  const ends =
    running === undefined
      ? 'no round runs: cycle gap'
      : `round ${running} ends ${momentHere(roundEnd(clock, running), moment)}`;
  context.out.result(
    `${plural(poet.servers.length, 'PoET server')}, phase shift ${hours(poet.phaseShift)}, cycle gap ${hours(poet.cycleGap)}; ${ends}\n`,
  );
  const lines = renderPoetList(
    {
      servers: poet.servers,
      asked,
      registered,
      identities: project.identities.length,
      ...(project.network.name === 'mainnet' ? { tickSize: TICK_SIZE } : {}),
    },
    context.out.columns,
  );
  context.out.result(lines.join('\n'));
  if (own) context.out.note('It runs inside the node; nobody else can ask it.');
  if (registrations.kind === 'unknown')
    context.out.warn(`Who is registered where is not known: ${registrations.reason}`);
  for (const address of elsewhere)
    context.out.warn(
      `Identities are registered with ${address}, which is not in the list. What that means: smesh-compose poet check`,
    );
  return ExitCode.ok;
}
