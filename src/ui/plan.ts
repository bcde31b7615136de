import { ExitCode } from '../domain/errors.ts';
import { changesAnything, type Plan, type Step } from '../domain/plan/steps.ts';
import { enumerate, wrapText } from './text.ts';

/** How one step reads: a sign, a verb, what it is about, why, and what must be done by hand. */
interface Line {
  readonly sign: '+' | '~' | '=' | '-' | '!';
  readonly verb: string;
  readonly subject: string;
  readonly reason: string;
  readonly next?: string;
}

type Describers = {
  readonly [Kind in Step['kind']]: (step: Extract<Step, { kind: Kind }>) => Line;
};

const owned = 'copied, 0600; the original stays';

/** One describer per kind of step: a step that cannot be shown does not compile. */
const describers: Describers = {
  'make-directory': (step) => ({ sign: '+', verb: 'make', subject: step.path, reason: 'folder' }),
  'write-file': (step) => ({ sign: '~', verb: 'write', subject: step.path, reason: step.what }),
  'replace-file': (step) => ({ sign: '~', verb: 'replace', subject: step.to, reason: step.what }),
  'install-key': (step) => ({
    sign: '+',
    verb: 'install',
    subject: step.target,
    reason: `${owned}${step.repair ? '; without its trailing newline' : ''}`,
  }),
  'remove-file': (step) => ({ sign: '-', verb: 'remove', subject: step.path, reason: step.what }),
  'move-key': (step) => ({ sign: '~', verb: 'move', subject: step.from, reason: `to ${step.to}` }),
  'move-data-file': (step) => ({
    sign: '~',
    verb: 'move',
    subject: step.what,
    reason: `to ${folderOf(step.to)}`,
  }),
  'cut-file': (step) => ({ sign: '~', verb: 'cut', subject: step.path, reason: step.what }),
  // One line for all: which key has which lease nobody wants to read here.
  'write-lease': (step) => ({ sign: '~', verb: 'write', subject: 'leases', reason: step.why }),
  'create-service': (step) => ({ sign: '+', verb: 'create', subject: step.service, reason: step.why }),
  'recreate-service': (step) => ({
    sign: '~',
    verb: 'recreate',
    subject: step.service,
    reason: `${step.why}. Costs ${step.cost}`,
  }),
  'start-service': (step) => ({ sign: '+', verb: 'start', subject: step.service, reason: step.why }),
  'remove-service': (step) => ({
    sign: '-',
    verb: 'remove',
    subject: step.service,
    reason: `${step.why}. Costs ${step.cost}`,
  }),
  'keep-service': (step) => ({ sign: '=', verb: 'keep', subject: step.service, reason: step.note ?? '' }),
  'hold-back': (step) => ({
    sign: '!',
    verb: 'hold back',
    subject: step.service,
    reason: step.why,
    next: step.next,
  }),
  'postpone-service': (step) => ({
    sign: '!',
    verb: 'postpone',
    subject: step.service,
    reason: step.why,
    next: step.next,
  }),
};

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function describe(step: Step): Line {
  return (describers[step.kind] as (step: Step) => Line)(step);
}

export interface PlanLook {
  readonly columns: number;
  readonly color: boolean;
  /** Project directory: files in it are named without it. */
  readonly directory?: string;
}

const VERB_WIDTH = 'hold back'.length;
const COLORS: Readonly<Record<Line['sign'], string>> = {
  '+': '32',
  '~': '33',
  '=': '2',
  '-': '31',
  '!': '35',
};

/** The plan as people read it (ux.md, "plan"): headline, then a line per step, alike ones together. */
export function renderPlan(plan: Plan, look: PlanLook): string {
  const lines = groupAlike(plan.steps, look.directory);
  const longest = Math.max(0, ...lines.map(({ subject }) => subject.length));
  const subjectWidth = Math.min(Math.max(longest, 4), 24);
  const body = lines.flatMap((line) => layOut(line, subjectWidth, look));
  return [plan.headline, ...body].join('\n');
}

/** Fifty provers with the same fate are one line; those that are kept are counted. */
function groupAlike(steps: readonly Step[], directory: string | undefined): Line[] {
  const groups: { line: Line; subjects: string[] }[] = [];
  for (const step of steps) {
    if (step.kind === 'keep-service') continue;
    const line = shorten(describe(step), directory);
    const alike = groups.find(
      ({ line: other }) =>
        other.verb === line.verb && other.reason === line.reason && nextOf(other) === nextOf(line),
    );
    if (alike === undefined) groups.push({ line, subjects: [line.subject] });
    else alike.subjects.push(line.subject);
  }
  const lines = groups.map(({ line, subjects }) => merge(line, subjects));
  return [...lines, ...describeKept(steps)];
}

function shorten(line: Line, directory: string | undefined): Line {
  if (directory === undefined || !line.subject.startsWith(`${directory}/`)) return line;
  return { ...line, subject: line.subject.slice(directory.length + 1) };
}

/** Advice that names the service itself differs for each, though it is the same. */
function nextOf(line: Line): string | undefined {
  return line.next
    ?.split(' ')
    .filter((word) => word !== line.subject)
    .join(' ');
}

function merge(line: Line, subjects: readonly string[]): Line {
  const next = subjects.length === 1 ? line.next : nextOf(line);
  return { ...line, subject: enumerate([...new Set(subjects)]), ...(next === undefined ? {} : { next }) };
}

function describeKept(steps: readonly Step[]): Line[] {
  const kept = steps.filter((step) => step.kind === 'keep-service');
  if (kept.length === 0) return [];
  const subject = kept.length <= 2 ? enumerate(kept.map((step) => step.service)) : `${kept.length} services`;
  const percents = kept.flatMap((step) => /is proving: (\d+ %)/.exec(step.note ?? '')?.[1] ?? []);
  const proving = kept.filter((step) => step.note?.startsWith('is proving') === true).length;
  const working =
    proving === 0
      ? ''
      : `, ${proving === 1 ? '1 of them is' : `${proving} of them are`} proving${
          percents.length === 0 ? '' : ` (${percents.join(', ')})`
        }`;
  const summary: Line = { sign: '=', verb: 'keep', subject, reason: `same containers${working}` };
  const remarkable = kept
    .filter((step) => step.note !== undefined && !step.note.startsWith('is proving'))
    .map((step): Line => ({ sign: '!', verb: 'look at', subject: step.service, reason: step.note ?? '' }));
  return [summary, ...remarkable];
}

function layOut(line: Line, subjectWidth: number, { columns, color }: PlanLook): string[] {
  const sign = color ? `\u001b[${COLORS[line.sign]}m${line.sign}\u001b[0m` : line.sign;
  const head = `  ${sign} ${line.verb.padEnd(VERB_WIDTH)} `;
  const indent = ' '.repeat(4 + VERB_WIDTH + 1 + subjectWidth + 2);
  const room = Math.max(columns - indent.length, 24);
  const text = line.reason === '' ? [] : wrapText(line.reason, room);
  if (line.next !== undefined) text.push(...wrapText(`→ ${line.next}`, room));
  if (line.subject.length > subjectWidth) {
    return [`${head}${line.subject}`, ...text.map((part) => indent + part)];
  }
  const [first = '', ...rest] = text;
  return [
    `${head}${line.subject.padEnd(subjectWidth)}  ${first}`.trimEnd(),
    ...rest.map((part) => indent + part),
  ];
}

/** The plan in `--json`. Contents of files stay out: they can be long, and a private network's hold its PoET key. */
export function planToJson(plan: Plan): Readonly<Record<string, unknown>> {
  return {
    headline: plan.headline,
    changes: changesAnything(plan),
    steps: plan.steps.map((step) => {
      if (step.kind !== 'write-file' && step.kind !== 'write-lease') return step;
      const { content: _, ...rest } = step;
      return rest;
    }),
  };
}

/** For `plan --check`: like a linter's, so that cron can tell (design §1, exit 10). */
export function planExitCode(plan: Plan): ExitCode {
  return changesAnything(plan) ? ExitCode.changesPending : ExitCode.ok;
}
