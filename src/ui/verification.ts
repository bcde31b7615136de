import { shortId } from '../domain/identity/smesher-id.ts';
import type { Check, Level, Subject } from '../domain/verification/check.ts';
import type { Verification, VerifiedIdentity } from '../domain/verification/judge.ts';
import { enumerate, printable, textWidth, wrapText } from './text.ts';
import { plural } from './units.ts';

export interface VerificationView {
  readonly columns: number;
  readonly color: boolean;
  /** Every check of every identity, also those that are right. */
  readonly all: boolean;
}

/** More sentences than this are read by nobody: those that are right are counted then (S16). */
const MOST_SENTENCES = 60;

/** How an identity stands, worst first. */
const STANDINGS = ['loses', 'unknown', 'warning', 'right'] as const;

type Standing = (typeof STANDINGS)[number];

const SGR: Readonly<Record<Standing, string>> = { loses: '31', unknown: '33', warning: '33', right: '32' };

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  ok: 'ok',
  'not-due': 'not due',
  warning: 'warning',
  unknown: 'unknown',
  'costs-rewards': 'LOSES',
};

/** What an identity's checks amount to. */
export function standingOf({ checks, outlooks }: VerifiedIdentity): Standing {
  if (checks.some(({ level }) => level === 'costs-rewards')) return 'loses';
  if (outlooks.some(({ prospect }) => prospect === 'unknown')) return 'unknown';
  return checks.some(({ level }) => level === 'warning' || level === 'unknown') ? 'warning' : 'right';
}

/** `verify` as text: a sentence per identity, then what is wrong or not known and what to do. Lines. */
export function renderVerification(
  verification: Verification,
  { name }: { readonly name: string },
  view: VerificationView,
): string[] {
  const { identities, project, epoch } = verification;
  const counts = STANDINGS.map((standing) => {
    const count = identities.filter((identity) => standingOf(identity) === standing).length;
    return count === 0 ? '' : `${count} ${COUNT_WORDS[standing]}`;
  }).filter((text) => text !== '');
  const header = `${plural(identities.length, 'identity', 'identities')} of ${printable(name)} in epoch ${epoch}: ${counts.join(', ')}`;
  const body = view.all
    ? [
        '',
        ...checkLines(project, view),
        ...identities.flatMap((identity) => [
          '',
          ...sentence(identity, view),
          ...checkLines(identity.checks, view),
        ]),
      ]
    : ['', ...sentences(identities, view), ...attention(verification, view)];
  return [...wrapText(header, view.columns), ...body];
}

const COUNT_WORDS: Readonly<Record<Standing, string>> = {
  loses: 'with rewards lost or in danger',
  unknown: 'not known',
  warning: 'to look at',
  right: 'right',
};

function sentences(identities: readonly VerifiedIdentity[], view: VerificationView): string[] {
  const few = identities.length <= MOST_SENTENCES;
  const shown = few ? identities : identities.filter((identity) => standingOf(identity) !== 'right');
  const rest = identities.length - shown.length;
  return [
    ...shown.flatMap((identity) => sentence(identity, view)),
    ...(rest === 0 ? [] : [`… and ${rest} more that are right   (--all shows each)`]),
  ];
}

/** `right    post-0001  62834bf0  earns in epoch 87: …; will earn in epoch 88: …` */
function sentence(identity: VerifiedIdentity, view: VerificationView): string[] {
  const standing = standingOf(identity);
  const head = `${standing.padEnd(7)}  ${printable(identity.name)}  ${shortId(identity.smesher)}  `;
  const text = [...new Set(identity.outlooks.map(({ words }) => words))].join('; ');
  const indent = ' '.repeat(Math.min(textWidth(head), 31));
  const lines = wrapText(printable(text), Math.max(view.columns - indent.length, 30));
  return lines.map((line, index) => {
    if (index > 0) return `${indent}${line}`;
    return `${view.color ? head.replace(standing, `\u001b[${SGR[standing]}m${standing}\u001b[39m`) : head}${line}`;
  });
}

interface Concern {
  readonly check: Check;
  readonly names: string[];
}

/** What is not as it should be, alike things of several identities once, the costly first. */
function attention({ project, identities }: Verification, view: VerificationView): string[] {
  const concerns = new Map<string, Concern>();
  const note = (check: Check, name?: string) => {
    if (check.level === 'ok' || check.level === 'not-due') return;
    // Of several the evidence is left to --json: the message is what they share.
    const key = `${check.code} ${check.message}`;
    const entry = concerns.get(key) ?? { check, names: [] };
    if (name !== undefined) entry.names.push(name);
    concerns.set(key, entry);
  };
  const isAway = project.some(
    ({ subject, level }) => subject === 'node' && (level === 'unknown' || level === 'costs-rewards'),
  );
  // While the node is away nothing of what only it knows is known of anybody: said once, it is enough.
  const isEcho = ({ subject, level }: Check) => isAway && level === 'unknown' && NODE_TELLS.includes(subject);
  for (const check of project) if (!isEcho(check)) note(check);
  for (const { name, checks } of identities)
    for (const check of checks) if (!isEcho(check)) note(check, name);
  const rank = ({ check }: Concern) => ['costs-rewards', 'unknown', 'warning'].indexOf(check.level);
  const silence = isAway
    ? [
        '',
        ...wrapText(
          "? Accounts, ATXs, rewards and cancellations are the node's to tell: not known while it is away",
          view.columns,
        ),
      ]
    : [];
  return [
    ...[...concerns.values()]
      .sort((a, b) => rank(a) - rank(b))
      .flatMap((one) => ['', ...concernLines(one, view)]),
    ...silence,
  ];
}

/** What only the node can say. */
const NODE_TELLS: readonly Subject[] = [
  'coinbase',
  'known-to-node',
  'standing',
  'atx',
  'eligibility',
  'rewards',
];

const MARKS: Readonly<Record<Level, string>> = {
  'costs-rewards': '!',
  unknown: '?',
  warning: '·',
  ok: ' ',
  'not-due': ' ',
};

function concernLines({ check, names }: Concern, view: VerificationView): string[] {
  const who = names.length === 0 ? '' : `${enumerate(names.map(printable))}  `;
  const message = names.length > 1 ? several(check.message) : check.message;
  const evidence = names.length > 1 ? [] : check.evidence;
  const indent = '    ';
  const room = view.columns - indent.length;
  const lines = [
    ...wrapText(`${who}${printable(message)}`, room),
    ...evidence.flatMap((line) => wrapText(`(${printable(line)})`, room)),
    ...(check.next === undefined ? [] : wrapText(`→ ${printable(nextOf(check.next, names))}`, room)),
  ];
  return lines.map((line, index) => {
    if (index > 0) return `${indent}${line}`;
    const first = `${MARKS[check.level]} ${line}`;
    return view.color && check.level === 'costs-rewards' ? `\u001b[31m${first}\u001b[39m` : first;
  });
}

/** A command for one of them says so where it stands for several. */
function nextOf(next: string, [first, ...others]: readonly string[]): string {
  return first !== undefined && others.length > 0 && next.includes(first)
    ? `${next}   (and so for the others)`
    : next;
}

const PLURAL: Readonly<Record<string, string>> = { is: 'are', has: 'have', was: 'were' };

/** Messages begin with the verb of one identity. */
function several(message: string): string {
  const [verb = ''] = message.split(' ', 1);
  return `${PLURAL[verb] ?? verb}${message.slice(verb.length)}`
    .replaceAll(
      /\bit (earn|publishe|prove)s\b/g,
      (_, stem: string) => `they ${stem === 'publishe' ? 'publish' : stem}`,
    )
    .replaceAll(/\band earns\b/g, 'and earn')
    .replaceAll(/\bits (service|data|key|ATX|log|proof)\b/g, 'their $1');
}

function checkLines(checks: readonly Check[], view: VerificationView): string[] {
  return checks.flatMap((check) => {
    const head = `  ${LEVEL_WORDS[check.level].padEnd(7)}  ${check.subject.padEnd(13)}  `;
    const evidence = check.evidence.length === 0 ? '' : ` (${check.evidence.join('; ')})`;
    const next = check.next === undefined ? '' : ` → ${check.next}`;
    const lines = wrapText(
      printable(`${check.message}${evidence}${next}`),
      Math.max(view.columns - textWidth(head), 30),
    );
    const painted = (text: string) =>
      view.color && check.level === 'costs-rewards' ? `\u001b[31m${text}\u001b[39m` : text;
    return lines.map((line, index) => `${index === 0 ? painted(head) : ' '.repeat(textWidth(head))}${line}`);
  });
}

/**
 * `verify --json`, schema version 1 (docs/reference/verify-json.md). Fields are only ever added; a change of meaning raises
 * `schemaVersion`.
 */
export function verificationDocument(
  { epoch, project, identities, verdict }: Verification,
  about: { readonly at: number; readonly name: string; readonly exitCode: number },
): Readonly<Record<string, unknown>> {
  return {
    schemaVersion: 1,
    at: new Date(about.at).toISOString(),
    exitCode: about.exitCode,
    verdict,
    project: about.name,
    epoch,
    checks: project.map(checkFields),
    identities: identities.map((identity) => ({
      smesher: identity.smesher,
      name: identity.name,
      standing: standingOf(identity),
      outlooks: identity.outlooks.map(({ epoch: of, prospect, words }) => ({ epoch: of, prospect, words })),
      checks: identity.checks.map(checkFields),
    })),
  };
}

function checkFields({ subject, code, level, message, evidence, next }: Check) {
  return { subject, code, level, message, evidence, next: next ?? null };
}
