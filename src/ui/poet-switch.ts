import { shortId } from '../domain/identity/smesher-id.ts';
import type { SwitchDecision } from '../domain/poet/switch/decide.ts';
import type { RowsToDelete } from '../domain/poet/switch/rows.ts';
import type { Stage, StagedIdentity } from '../domain/poet/switch/stages.ts';
import type { SwitchOutcome, SwitchWindow } from '../domain/poet/switch/window.ts';
import { formatGoDuration } from '../domain/project/duration.ts';
import type { PoetSettings } from '../domain/project/types.ts';
import { countdown, type MomentStyle, momentHere, shortMoment } from './moments.ts';
import { renderTable } from './table.ts';
import { plural } from './units.ts';

/** What is known of a change of PoETs before anything is done. */
export interface SwitchView {
  readonly targetName: string;
  readonly from: PoetSettings;
  readonly to: PoetSettings;
  /** Addresses whose key came from `/v1/info`. */
  readonly learnt: readonly string[];
  readonly identities: readonly StagedIdentity[];
  readonly rows: RowsToDelete | undefined;
  /** Of the node: `v1.7.6`. */
  readonly release: string;
  readonly decision: SwitchDecision;
  /** The stretch that it is done in; absent where none is known. */
  readonly window?: SwitchWindow;
  readonly outcome?: SwitchOutcome;
  readonly leadMs: number;
  /** Seconds. */
  readonly epochSeconds: number;
}

/** `default → /srv/late.yaml: phase shift 240h → 288h, cycle gap 12h → 24h` */
export function changeHeadline({
  targetName,
  from,
  to,
}: Pick<SwitchView, 'targetName' | 'from' | 'to'>): string {
  const times = (['phaseShift', 'cycleGap', 'gracePeriod'] as const).flatMap((key) =>
    from[key] === to[key]
      ? []
      : [
          `${{ phaseShift: 'phase shift', cycleGap: 'cycle gap', gracePeriod: 'grace period' }[key]} ${formatGoDuration(from[key])} → ${formatGoDuration(to[key])}`,
        ],
  );
  const rhythm = times.length === 0 ? 'the same rounds, other addresses' : times.join(', ');
  return `Change of PoETs to ${targetName}: ${rhythm}`;
}

function serverLines({ from, to, learnt }: SwitchView): readonly string[] {
  const isIn = ({ servers }: PoetSettings, address: string) => servers.some((one) => one.address === address);
  return [
    ...to.servers.map(({ address, pubkey }) => {
      const source = learnt.includes(address) ? ' (from its /v1/info)' : '';
      return `  ${isIn(from, address) ? '=' : '+'} ${address}  ${pubkey}${source}`;
    }),
    ...from.servers.filter(({ address }) => !isIn(to, address)).map(({ address }) => `  - ${address}`),
  ];
}

/** What it costs, in a sentence or two. Nothing where nobody loses anything. */
export function costLines(
  view: Pick<SwitchView, 'from' | 'to' | 'outcome' | 'epochSeconds'>,
): readonly string[] {
  const { from, to, outcome, epochSeconds } = view;
  if (outcome === undefined) return [];
  const { lostEpochs, publishEpoch, round } = outcome;
  const next = `The next ATX is of epoch ${publishEpoch} (round ${round}) and earns in epoch ${publishEpoch + 1}`;
  const lines =
    lostEpochs.length === 0
      ? [`Costs nothing: no identity misses an epoch. ${next}.`]
      : [
          `Costs the rewards of ${lostEpochs.length === 1 ? 'epoch' : 'epochs'} ${lostEpochs.join(', ')} for every identity: the new PoETs have begun the round in between already. ${next}.`,
        ];
  const share = (epochSeconds - to.cycleGap) / (epochSeconds - from.cycleGap);
  if (to.cycleGap === from.cycleGap) return lines;
  const weight = `A round takes ${formatGoDuration(epochSeconds - to.cycleGap)} instead of ${formatGoDuration(epochSeconds - from.cycleGap)}: an ATX weighs about ${Math.round(share * 100)} % of what it did.`;
  return [...lines, weight];
}

/** How far an identity is, in words. */
export function stageWords(stage: Stage, style: MomentStyle): string {
  switch (stage.kind) {
    case 'published':
      return `ATX of epoch ${stage.epoch} is out, nothing registered`;
    case 'idle':
      return 'nothing registered';
    case 'new':
      return 'only its initial proof, which stays';
    case 'no-proof':
      return 'no initial proof yet';
    case 'registering':
      return `registers for round ${stage.epoch - 1}, which begins ${shortMoment(stage.starts, style)}`;
    case 'registered':
      return `registered again for round ${stage.epoch - 1}, which begins ${shortMoment(stage.starts, style)}`;
    case 'round-runs':
      return `waits for the end of round ${stage.epoch - 1}, ${shortMoment(stage.ends, style)}`;
    case 'proving':
      return `ATX of epoch ${stage.epoch} not out yet, due ${shortMoment(stage.publishBy, style)}`;
    case 'unknown':
      return `not known: ${stage.why}`;
  }
}

function identityLines({ identities }: SwitchView, columns: number, style: MomentStyle): readonly string[] {
  const rows = identities.map(({ smesher, name, stage }) => {
    const where = 'addresses' in stage ? stage.addresses.join(', ') : '';
    return [shortId(smesher), name, stageWords(stage, style), where];
  });
  return renderTable(
    [
      { title: 'SMESHER' },
      { title: 'NAME' },
      { title: 'STAGE', flexible: true, minWidth: 30 },
      { title: 'REGISTERED AT', flexible: true, cut: 'middle' },
    ],
    rows,
    columns,
  );
}

export interface SwitchStep {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
}

/** What is done and what follows from it, with times; the same list as `--dry-run` shows and `--json` holds. */
export function switchSteps(view: SwitchView, now: number): readonly SwitchStep[] {
  const { window, outcome, leadMs, rows, release } = view;
  if (window === undefined || outcome === undefined) return [];
  const begin = Math.max(now, window.opens);
  const deletes =
    rows === undefined || rows.tables.length === 0
      ? `local.sql: no row is deleted (${release}: after an ATX they are gone, and what is new registers by itself)`
      : `${rows.file}: delete the rows of ${rows.tables.join(', ')}`;
  return [
    { at: begin, what: 'take a backup: keys, smesh.yaml, node config, local.sql' },
    { at: begin, what: 'stop the node; the post-services stay up, no proof is lost by it' },
    {
      at: begin,
      what: 'read local.sql once more: if somebody has registered meanwhile the node starts again as it was',
    },
    { at: begin, what: 'smesh.yaml and node/config.json: the new servers and times, all else stays' },
    { at: begin, what: deletes },
    { at: begin, what: 'start the node' },
    { at: begin + leadMs, what: 'the node is up again' },
    { at: outcome.registrationOpens, what: `registration for round ${outcome.round} opens` },
    { at: outcome.roundStarts, what: `round ${outcome.round} begins: who is not registered misses it` },
    {
      at: outcome.roundEnds,
      what: `round ${outcome.round} ends: the first proof of the new PoETs, ATXs of epoch ${outcome.publishEpoch}`,
    },
  ];
}

/** The whole of it, for `--dry-run` and before it begins. */
export function renderSwitch(view: SwitchView, columns: number, style: MomentStyle): string {
  const { window, decision } = view;
  const steps = switchSteps(view, style.now);
  const width = Math.max(...steps.map(({ at }) => momentHere(at, style).length), 0);
  const left = steps.map(({ at }) => countdown(at, style.now));
  const leftWidth = Math.max(...left.map((text) => text.length), 0);
  return [
    changeHeadline(view),
    ...serverLines(view),
    '',
    ...costLines(view),
    '',
    ...identityLines(view, columns, style),
    ...(steps.length === 0 ? [] : ['', 'STEPS']),
    ...steps.map(
      ({ at, what }, index) =>
        `  ${momentHere(at, style).padEnd(width)}  ${(left[index] ?? '').padEnd(leftWidth)}  ${what}`,
    ),
    ...(window === undefined ? [] : ['', windowWords(window, style)]),
    ...(decision.kind === 'wait' ? ['', ...hinderedLines(decision.hindered).map((line) => `! ${line}`)] : []),
  ].join('\n');
}

/** `The window is open until …`, or when it is. */
export function windowWords({ opens, closes }: SwitchWindow, style: MomentStyle): string {
  const closing = `${momentHere(closes, style)} (${countdown(closes, style.now)})`;
  return opens <= style.now
    ? `The window is open: the node has to go down by ${closing}.`
    : `The window opens ${momentHere(opens, style)} (${countdown(opens, style.now)}), as soon as all have published from then on, and closes ${closing}.`;
}

/** More than these are counted: fifty identities in one epoch all wait for the same thing. */
const MOST_NAMED = 6;

/** Who keeps it from being done now, those with the same reason together. */
export function hinderedLines(
  all: readonly { readonly name: string; readonly why: string }[],
): readonly string[] {
  const byWhy = new Map<string, string[]>();
  for (const { name, why } of all) byWhy.set(why, [...(byWhy.get(why) ?? []), name]);
  return [...byWhy].map(([why, names]) => {
    const who =
      names.length <= MOST_NAMED
        ? names.filter((name) => name !== '').join(', ')
        : plural(names.length, 'identity', 'identities');
    return who === '' ? why : `${who}: ${why}`;
  });
}
