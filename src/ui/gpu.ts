import { splitModel } from '../domain/gpu/providers.ts';
import type { GpuFinding, GpuReport, InsideLook, JoinedGpu } from '../domain/gpu/report.ts';
import type { VENDOR_WORDS } from '../domain/gpu/vendor.ts';
import { renderTable } from './table.ts';
import { printable, wrapText } from './text.ts';
import { formatBytes, plural } from './units.ts';

export interface GpuView {
  readonly columns: number;
  readonly color: boolean;
}

/** Provider of postcli that computes on the processor. */
const PROCESSOR = 'the processor';

/** `gpu list` as a table, with what is wrong below it, worst first. */
export function renderGpus(report: GpuReport, view: GpuView): readonly string[] {
  const { cards, looks, joined, findings, engine } = report;
  const usable = joined.filter(({ host, inside }) => host !== undefined && inside !== undefined).length;
  const asked = looks.some(({ kind }) => kind === 'asked');
  const title = `${plural(cards.length, 'graphics card')} on this host${cards.length === 0 || !asked ? '' : `, ${usable} of them offered inside`}`;
  const table = joined.length === 0 ? [] : ['', ...renderRows(joined, report, view.columns)];
  const asides = looks.flatMap((look) => lookLine(look));
  const engineLines = engine === undefined ? [] : block('error', engine.message, engine.hint, view);
  const wrong = [...engineLines, ...findings.flatMap((one) => findingLines(one, view))];
  return [
    title,
    ...table,
    ...(asides.length === 0
      ? []
      : ['', ...asides.flatMap((line) => wrapText(printable(line), view.columns))]),
    ...(wrong.length === 0 ? [] : ['', ...wrong]),
  ];
}

function renderRows(joined: readonly JoinedGpu[], report: GpuReport, columns: number): readonly string[] {
  return renderTable(
    [
      { title: 'CARD', flexible: true, minWidth: 16 },
      { title: 'MEMORY', align: 'right' },
      { title: 'DRIVER', flexible: true, minWidth: 8 },
      { title: 'DEVICE', flexible: true, minWidth: 12, cut: 'start' },
      { title: 'INSIDE', flexible: true, minWidth: 16 },
    ],
    joined.map((row) => cellsOf(row, report)),
    columns,
  );
}

function cellsOf({ host, inside, isLeftOut }: JoinedGpu, report: GpuReport): readonly string[] {
  const offered = inside === undefined ? '' : `provider ${inside.id}`;
  if (host === undefined) {
    const name = inside?.kind === 'cpu' ? PROCESSOR : splitModel(inside?.model ?? '').device;
    return [name, '', '', '', offered];
  }
  const { name, memoryBytes, driver, device } = host;
  return [
    name,
    memoryBytes === undefined ? '' : formatBytes(memoryBytes),
    driver ?? 'none',
    device ?? '–',
    inside !== undefined ? offered : isLeftOut ? 'not chosen' : notOffered(host.vendor, report),
  ];
}

function notOffered(vendor: keyof typeof VENDOR_WORDS, { looks }: GpuReport): string {
  const mine = looks.filter((look) => look.vendor === vendor);
  return mine.some(({ kind }) => kind !== 'not-asked') ? 'not offered' : 'not asked';
}

function lookLine(look: InsideLook): readonly string[] {
  if (look.kind !== 'asked') return [];
  const offers = look.providers.map(({ id, model }) => `${id} ${model}`).join(', ');
  return [`Inside ${look.image}, as a job for ${look.vendor}: ${offers}`];
}

const SGR: Readonly<Record<GpuFinding['severity'], string>> = { error: '31', warning: '33', note: '36' };
/** `warning  ` */
const LABEL_WIDTH = 9;

function findingLines({ code, severity, message, hint }: GpuFinding, view: GpuView): readonly string[] {
  return block(severity, `${message} [${code}]`, hint, view);
}

/** What is typed stands on lines of its own: three spaces end a command. */
function block(
  severity: GpuFinding['severity'],
  message: string,
  hint: string | undefined,
  { columns, color }: GpuView,
): readonly string[] {
  const width = Math.max(columns - LABEL_WIDTH - 2, 30);
  const label = severity.padEnd(LABEL_WIDTH);
  const shown = color ? `\x1b[${SGR[severity]}m${label}\x1b[0m` : label;
  const blank = ' '.repeat(LABEL_WIDTH);
  const text = wrapText(printable(message), width).map((line, index) => (index === 0 ? shown : blank) + line);
  const cure = (hint === undefined ? [] : hint.split(/ {3}/)).flatMap((part) =>
    wrapText(printable(part), width),
  );
  return [...text, ...cure.map((line, index) => `${blank}${index === 0 ? '→' : ' '} ${line}`)];
}

/** The same for `--json`. */
export function gpusDocument({ cards, looks, joined, findings, engine }: GpuReport): unknown {
  return {
    schemaVersion: 1,
    cards,
    looks,
    joined: joined.map(({ host, inside, isLeftOut }) => ({
      host: host ?? null,
      inside: inside ?? null,
      chosen: isLeftOut !== true,
    })),
    findings,
    engine: engine === undefined ? null : { error: engine },
  };
}
