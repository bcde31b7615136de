import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import type { AskedPoet } from '../../domain/doctor/poet.ts';
import { judgePoets, judgeSomePoets } from '../../domain/doctor/poet.ts';
import { ExitCode } from '../../domain/errors.ts';
import { judgeClocks } from '../../domain/poet/check-clock.ts';
import { judgeRounds, type RoundWord } from '../../domain/poet/check-rounds.ts';
import { epochClock } from '../../domain/poet/epochs.ts';
import { addressesMissing, type Registrations } from '../../domain/poet/registrations.ts';
import { requireAddress } from '../../domain/poet/server-list.ts';
import type { Project } from '../../domain/project/types.ts';
import type { PoetProofAnswer } from '../../ports/poet-api.ts';
import { renderDoctor } from '../../ui/doctor.ts';
import { doctorDocument } from '../../ui/doctor-json.ts';
import { serversToJson } from '../../ui/poet.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { type AskedServer, askServers } from './ask-servers.ts';
import { readRegistrations } from './read-registrations.ts';
import { isInProcess } from './refuse-in-process.ts';

export interface CheckRequest {
  /** Servers to look at, in the list or not; empty: the whole list. */
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
  readonly rounds: number;
}

/** A server that cannot be used as it is fails the check, also where the node would go on with the others. */
const FAILED = new Set(['poet-unreachable', 'poet-malformed', 'poet-key']);

/**
 * `poet check`: are the servers there, the ones that were meant, of the project's rhythm and of its network, and how much
 * work did they do. Changes nothing. 0 when all is well, 3 when a check failed.
 */
export async function checkPoets(context: Context, project: Project, request: CheckRequest): Promise<number> {
  for (const address of request.addresses) requireAddress(address);
  const addresses =
    request.addresses.length > 0 ? request.addresses : project.poet.servers.map(({ address }) => address);
  const asked = isInProcess(project) ? [] : await askServers(context, project, { ...request, addresses });
  const findings = isInProcess(project)
    ? [inProcess(project)]
    : judge(context, project, asked, request, await readRegistrations(context, project));
  const failed = findings.some(({ code, severity }) => severity === 'error' || FAILED.has(code));
  const exitCode = failed ? ExitCode.invalid : ExitCode.ok;
  const { out, directory, json } = context;
  const named = { project: { name: project.name, network: project.network.name } };
  if (json) {
    const at = context.clock.now();
    out.json({
      ...doctorDocument({ at, exitCode, toolVersion: version, directory, ...named, findings }),
      servers: serversToJson(asked, project.poet.servers),
    });
  } else {
    out.result(renderDoctor({ directory, ...named, findings, command: 'poet check' }, out).join('\n'));
  }
  return exitCode;
}

function inProcess({ poet }: Project): DoctorFinding {
  return finding('poet-in-process', {
    message: 'The PoET of a private network runs inside the node; there is nothing to ask',
    evidence: poet.servers.map(({ address }) => address).join(', '),
  });
}

function judge(
  context: Context,
  project: Project,
  asked: readonly AskedServer[],
  request: CheckRequest,
  registrations: Registrations,
): readonly DoctorFinding[] {
  const { poet } = project;
  const clock = epochClock(project.network, poet);
  const poets = asked.map((one): AskedPoet => {
    const known = poet.servers.find(({ address }) => address === one.address);
    // One that is not in the list is compared with itself: only its rhythm can be wrong.
    const pubkey = known?.pubkey ?? (one.info.kind === 'answered' ? one.info.info.pubkey : '');
    return { server: { address: one.address, pubkey }, answer: one.info };
  });
  const rounds = asked.map(({ address, rounds: answers }) => ({
    address,
    rounds: answers.map(({ round, running, answer }) => ({ round, running, word: wordOf(answer) })),
  }));
  const clocks = asked.flatMap(({ address, info }) =>
    info.kind === 'answered' && info.clock !== undefined ? [{ address, ...info.clock }] : [],
  );
  return [
    ...(request.addresses.length > 0 ? judgeSomePoets(poets, poet) : judgePoets(poets, poet)),
    ...judgeRounds(rounds, clock, context.clock.now()),
    ...judgeClocks(clocks),
    ...(request.addresses.length > 0 ? [] : registeredElsewhere(project, registrations)),
  ];
}

function wordOf(answer: PoetProofAnswer): RoundWord {
  switch (answer.kind) {
    case 'proof':
      return { kind: 'proof', leaves: answer.facts.leaves };
    case 'none':
      return { kind: 'none' };
    case 'late':
      return { kind: 'unknown', reason: `no answer within ${answer.afterMs / 1000} s` };
    case 'unreachable':
    case 'malformed':
      return { kind: 'unknown', reason: answer.reason };
  }
}

/** With none of its PoETs in the list an identity ends the node at every start (spacemesh.md §6.4, §14.7). */
function registeredElsewhere(project: Project, registrations: Registrations): readonly DoctorFinding[] {
  if (registrations.kind === 'unknown') return [];
  const list = project.poet.servers.map(({ address }) => address);
  return addressesMissing(registrations.identities, list).map((subject) => {
    const at = registrations.identities.filter(({ addresses }) => addresses.includes(subject));
    const alone = at.filter(({ addresses }) => !addresses.some((address) => list.includes(address)));
    return finding('poet-registered-elsewhere', {
      subject,
      severity: alone.length > 0 ? 'error' : 'warning',
      message:
        alone.length > 0
          ? `${alone.length === 1 ? 'One identity is' : `${alone.length} identities are`} registered with this PoET and with none of the list: while the round runs the node ends at every start`
          : 'Identities are registered with this PoET, which is not in the list: its proof will not be fetched, and those of the others count',
      evidence: `${at.length} in local.sql`,
      measured: { identities: at.length, nowhereElse: alone.length },
      ...(alone.length > 0
        ? { remedy: 'What cures it and what it costs: smesh-compose poet recover --dry-run' }
        : {}),
    });
  });
}
