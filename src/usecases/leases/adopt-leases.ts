import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { heldLease, leaseStep } from '../../domain/identity/decide-leases.ts';
import {
  confirmationWord,
  describeHolder,
  type ForeignLease,
  isForeign,
  type JudgedKey,
} from '../../domain/identity/lease-findings.ts';
import { judgePlaces } from '../../domain/identity/places.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { FileStep } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import { version } from '../../version.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { indexProject } from '../identity-index/project-index.ts';
import { runJournaled } from '../journal.ts';
import { nodeOwner, projectOwner } from '../owners.ts';
import { adoptionFacts } from './adoption-facts.ts';
import { judgeInstalledKeys } from './check-leases.ts';
import { chooseKeys } from './choose-keys.ts';
import { refuseKeysLeftBehind } from './keys-left-behind.ts';
import { leaseHere } from './read-leases.ts';

export interface AdoptRequest {
  /** Names, smesher IDs or the beginnings of them. */
  readonly names: readonly string[];
  readonly all: boolean;
  /** Names of the hosts that had the keys, as typed. */
  readonly confirm: readonly string[];
  readonly dryRun: boolean;
}

/** A key with the lease that another place holds. */
type ForeignKey = JudgedKey & { readonly verdict: ForeignLease };

/**
 * Takes over keys whose lease another host, project or folder holds: says what must be true first, refuses what can be
 * seen to be false, and asks for the name of the host that had them (S23, S40). There is no way around the question, and
 * no lease is taken while somebody on this host is found at work with the key.
 */
export async function adoptLeases(
  context: Context,
  project: Project,
  request: AdoptRequest,
): Promise<ExitCode> {
  const judged = await judgeInstalledKeys(context, project);
  const wanted = chooseKeys(judged, request);
  const foreign = wanted.filter((key): key is ForeignKey => isForeign(key.verdict));
  if (foreign.length === 0) return nothingToAdopt(context, request, wanted);
  await refuseLiveElsewhere(context, project, foreign);
  await refuseKeysLeftBehind(context, project, foreign);
  const facts = await adoptionFacts(context, project, foreign);
  if (!context.json) context.out.note(explain(foreign, facts));
  if (request.dryRun) {
    report(context, foreign, true);
    return ExitCode.ok;
  }
  for (const [word, keys] of byHost(foreign)) await confirm(context, request, word, keys);
  const steps = await adoptionSteps(context, project, foreign);
  const owner = await projectOwner(context);
  context.signal.throwIfAborted();
  await backUpBefore(context, project, 'keys');
  await runJournaled(context.ports, {
    directory: context.directory,
    command: 'keys adopt',
    at: context.clock.now(),
    steps,
    ...(owner === undefined ? {} : { owner }),
  });
  report(context, foreign, false);
  return ExitCode.ok;
}

function nothingToAdopt(context: Context, { dryRun }: AdoptRequest, wanted: readonly JudgedKey[]): ExitCode {
  const absent = wanted.filter(({ verdict }) => verdict.kind === 'absent').length;
  if (context.json) context.out.json({ schemaVersion: 1, dryRun, adopted: [] });
  else
    context.out.result(
      absent === 0
        ? 'Nothing to take over: this project holds these keys. Nothing was changed.'
        : 'Nothing to take over: no other place holds these keys. Nothing was changed; up notes who holds them.',
    );
  return ExitCode.ok;
}

/** What can be seen on this host is not a matter of anybody's word. */
async function refuseLiveElsewhere(
  context: Context,
  project: Project,
  keys: readonly ForeignKey[],
): Promise<void> {
  const index = await indexProject(context, project);
  const others = { ...index, places: index.places.filter(({ own }) => !own) };
  const details: string[] = [];
  let isUnknown = false;
  for (const { smesherId, name } of keys) {
    const live = others.places.filter(
      (place) => place.smesherId === smesherId && place.use === 'serves' && place.live,
    );
    for (const place of live)
      details.push(`${name} (${shortId(smesherId)}): ${place.who}. End it: ${place.remedy ?? ''}`);
    isUnknown ||= live.length === 0 && judgePlaces(smesherId, others) === 'unknown';
  }
  if (details.length > 0) {
    throw new SmeshError(
      'identity-twice',
      ExitCode.refused,
      `Not taken over: ${details.length === 1 ? 'this key is' : 'these keys are'} served by somebody else on this host. Two nodes with one key: the network cancels that identity for ever. Nothing was changed.`,
      { details, hint: 'Stop what is named above for good, then type the same again.' },
    );
  }
  if (!isUnknown) return;
  throw new SmeshError(
    'identities-unknown',
    ExitCode.refused,
    'Not taken over: not everything on this host could be looked at, and somebody there may be at work with these keys. Nothing was changed.',
    {
      details: [
        ...index.unseen,
        ...index.closed
          .filter(({ live }) => live)
          .map(({ path, who, stop }) => `${who}: ${path} may not be read. End it: ${stop}`),
      ],
      hint: 'Let it be looked at (sudo; a running Docker), then type the same again.',
    },
  );
}

function byHost(keys: readonly ForeignKey[]): ReadonlyMap<string, readonly ForeignKey[]> {
  const hosts = new Map<string, ForeignKey[]>();
  for (const key of keys) {
    const word = confirmationWord(key.verdict);
    hosts.set(word, [...(hosts.get(word) ?? []), key]);
  }
  return hosts;
}

/** What must be true, in the words of the place that had the keys. */
function explain(keys: readonly ForeignKey[], facts: readonly string[]): string {
  const holders = [...new Set(keys.map(({ verdict }) => describeHolder(verdict)))];
  const lines = keys.slice(0, 12).map(({ name, smesherId, verdict }) => {
    const renewed =
      verdict.kind === 'theirs'
        ? `held there since ${day(verdict.holder.createdAt)}, last renewed ${day(verdict.holder.renewedAt)}`
        : verdict.reason;
    return `  ${name} (${shortId(smesherId)})  ${renewed}`;
  });
  if (keys.length > lines.length) lines.push(`  … and ${keys.length - lines.length} more`);
  return [
    'These keys are held by another place:',
    ...holders.map((holder) => `  ${holder}`),
    ...lines,
    '',
    'Before they are taken over, all of this must be true; nobody can check it from here:',
    '  1. The node there is stopped for good: no container, service or timer starts it again, also not after a reboot.',
    "  2. Its keys are gone from there: moved out of the node's identities folder, in backups and images as well.",
    '  3. Its local.sql came along, copied while that node was stopped; or every one of these identities has published',
    '     its last ATX there, and the node here is synced before they are proved.',
    '  If one of them is not true, both nodes may publish, and the network cancels these identities for ever.',
    ...(facts.length === 0 ? [] : ['', 'What is known here:', ...facts.map((fact) => `  ${fact}`)]),
    '',
  ].join('\n');
}

function day(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** `--yes` is no answer to this: it says yes to whatever is asked, and this must be meant. */
async function confirm(
  context: Context,
  { confirm: given }: AdoptRequest,
  word: string,
  keys: readonly ForeignKey[],
): Promise<void> {
  if (given.includes(word)) return;
  const count = keys.length === 1 ? 'this key' : `these ${keys.length} keys`;
  if (given.length > 0) {
    throw new SmeshError(
      'not-confirmed',
      ExitCode.refused,
      `Not taken over: --confirm ${given.join(' ')} is not the host that had ${count}. Nothing was changed.`,
      { hint: `When all of it is true: --confirm ${word}` },
    );
  }
  if (!context.out.interactive) {
    throw new SmeshError(
      'not-confirmed',
      ExitCode.usage,
      `Taking over ${count} has to be confirmed by the name of the host that had ${keys.length === 1 ? 'it' : 'them'}; --yes is not enough. Nothing was changed.`,
      { hint: `When all of it is true: --confirm ${word}` },
    );
  }
  await context.ports.prompt.input({
    message: `Type ${word} to take over ${count}:`,
    flag: `--confirm ${word}`,
    validate: (answer) =>
      answer.trim() === word ? undefined : `Only ${word} takes them over; Ctrl-C leaves everything as it is.`,
  });
}

async function adoptionSteps(
  context: Context,
  project: Project,
  keys: readonly ForeignKey[],
): Promise<readonly FileStep[]> {
  const here = await leaseHere(context, project);
  const owner = await nodeOwner(context, project);
  const now = new Date(context.clock.now()).toISOString();
  return keys.map(({ smesherId, path, verdict }) => {
    const lease = heldLease({ here, now, version }, smesherId);
    const holder = verdict.kind === 'theirs' ? verdict.holder : undefined;
    const adopted = {
      at: now,
      host: holder?.host.name ?? 'unknown',
      directory: holder?.project.directory ?? '',
      nodeData: holder?.nodeData ?? '',
    };
    return leaseStep(path, { ...lease, adopted }, 'taken over', owner);
  });
}

function report(context: Context, keys: readonly ForeignKey[], dryRun: boolean): void {
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun,
      adopted: keys.map(({ smesherId, name, verdict }) => ({
        id: smesherId,
        name,
        from:
          verdict.kind === 'theirs'
            ? {
                host: verdict.holder.host.name,
                directory: verdict.holder.project.directory,
                nodeData: verdict.holder.nodeData,
                renewedAt: verdict.holder.renewedAt,
              }
            : null,
      })),
    });
    return;
  }
  const names = keys.map(({ name, smesherId }) => `${name} (${shortId(smesherId)})`).join(', ');
  if (dryRun) context.out.result(`Would be taken over: ${names}. Nothing was changed.`);
  else
    context.out.result(
      `Taken over: ${names}. This host and project hold ${keys.length === 1 ? 'it' : 'them'} now. Next: smesh-compose up`,
    );
}
