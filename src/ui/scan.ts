import { shortId } from '../domain/identity/smesher-id.ts';
import type { Disk, ScannedDirectory, ScanReport, Verdict } from '../domain/post/types.ts';
import { type Cell, type Column, renderTable } from './table.ts';
import { printable, textWidth, wrapText } from './text.ts';
import { formatBytes, formatDuration, plural } from './units.ts';

export interface ScanView {
  readonly columns: number;
  readonly color: boolean;
  /** Full smesher IDs, every note, and the disks with their mounts. */
  readonly verbose?: boolean;
}

/** What `scan` and `post verify` call a verdict. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  ready: 'ready',
  incomplete: 'incomplete',
  'split-part': 'split part',
  damaged: 'damaged',
  'key-mismatch': 'wrong key',
  'key-missing': 'no key',
  'key-malformed': 'bad key',
  duplicate: 'duplicate',
  unreadable: 'unreadable',
};

type Standing = 'ready' | 'incomplete' | 'blocked';

function standingOf(verdict: Verdict): Standing {
  if (verdict === 'ready') return 'ready';
  return verdict === 'incomplete' || verdict === 'split-part' ? 'incomplete' : 'blocked';
}

const COLOR_CODES: Readonly<Record<Standing, number>> = { ready: 32, incomplete: 33, blocked: 31 };

function paintVerdict(verdict: Verdict, color: boolean): Cell {
  const text = VERDICT_WORDS[verdict];
  if (!color) return text;
  const code = COLOR_CODES[standingOf(verdict)];
  return { text, paint: (shown) => `\u001b[${code}m${shown}\u001b[39m` };
}

const DIRECTORY = ['PoST directory', 'PoST directories'] as const;

/** `12 PoST directories on 5 disks: 10 ready, 1 incomplete, 1 blocked`, the time it took at the right. */
function headLine(report: ScanReport, columns: number): string {
  const { directories, disks } = report;
  const counts = new Map<Standing, number>();
  for (const { verdict } of directories) {
    const standing = standingOf(verdict);
    counts.set(standing, (counts.get(standing) ?? 0) + 1);
  }
  const parts = (['ready', 'incomplete', 'blocked'] as const)
    .filter((standing) => counts.has(standing))
    .map((standing) => `${counts.get(standing)} ${standing}`);
  const head = `${plural(directories.length, ...DIRECTORY)} on ${plural(disks.length, 'disk')}: ${parts.join(', ')}`;
  const took = `scanned in ${formatDuration(report.elapsedMs)}`;
  const room = columns - textWidth(head) - textWidth(took);
  return room >= 2 ? head + ' '.repeat(room) + took : head;
}

/** `sda 16.4 TiB hdd`, `md0 (sda, sdb) 7.3 TiB hdd`, `nfs:nas:/export`. */
export function describeDisk(disk: Disk): string {
  const words = [disk.id];
  const tellsMembers = disk.members.length > 1 || (disk.members.length === 1 && disk.members[0] !== disk.id);
  if (tellsMembers) words.push(`(${disk.members.join(', ')})`);
  if (disk.sizeBytes !== undefined) words.push(formatBytes(disk.sizeBytes));
  if (disk.rotational !== undefined) words.push(disk.rotational ? 'hdd' : 'ssd');
  return words.join(' ');
}

function keyCell({ key }: ScannedDirectory): string {
  if (key === undefined) return 'none';
  return key.where === 'elsewhere' || key.where === 'node-identities'
    ? 'elsewhere'
    : key.path.slice(key.path.lastIndexOf('/') + 1);
}

const COLUMNS: readonly Column[] = [
  { title: 'DISK', flexible: true, minWidth: 16 },
  { title: 'DIRECTORY', flexible: true, minWidth: 20, cut: 'start' },
  { title: 'UNITS', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'SMESHER' },
  { title: 'KEY', flexible: true, minWidth: 12, cut: 'middle' },
  { title: 'VERDICT' },
];

/** Who asks for everything wants nothing cut. */
function tableWidth({ columns, verbose }: ScanView): number {
  return verbose === true ? Number.POSITIVE_INFINITY : columns;
}

function directoryTable(report: ScanReport, view: ScanView): string[] {
  const disks = new Map(report.disks.map((disk) => [disk.id, describeDisk(disk)]));
  let last: string | undefined;
  const rows = report.directories.map((directory): Cell[] => {
    const { metadata, files } = directory;
    const disk = directory.disk === last ? '' : (disks.get(directory.disk) ?? directory.disk);
    last = directory.disk;
    const id = metadata?.smesherId;
    return [
      disk,
      directory.path,
      metadata === undefined ? '–' : `${metadata.units}`,
      files === undefined ? '–' : formatBytes(files.bytes),
      id === undefined ? '–' : view.verbose === true ? id : shortId(id),
      keyCell(directory),
      paintVerdict(directory.verdict, view.color),
    ];
  });
  return renderTable(COLUMNS, rows, tableWidth(view));
}

function diskTable(report: ScanReport, view: ScanView): string[] {
  const columns: Column[] = [
    { title: 'DISK', flexible: true, minWidth: 16 },
    { title: 'FREE', align: 'right' },
    { title: 'FILE SYSTEM' },
    { title: 'MOUNTED AT', flexible: true, minWidth: 12, cut: 'middle' },
    { title: 'UUID', flexible: true, minWidth: 9 },
  ];
  const rows = report.disks.map((disk): Cell[] => [
    describeDisk(disk),
    disk.freeBytes === undefined ? '–' : formatBytes(disk.freeBytes),
    disk.fileSystem ?? '–',
    disk.mountPoint ?? '–',
    disk.uuid ?? '–',
  ]);
  return renderTable(columns, rows, tableWidth(view));
}

/** Words of a shell command; quoted ones stay whole. */
const SHELL_WORD = /(?:\$'(?:\\.|[^'\\])*'|'[^']*'|\\.|[^\s'\\])+/gs;

/**
 * A command too long for a line goes on after a backslash, so that it can still be copied and pasted. A flag and its
 * value stay together.
 */
function breakCommand(command: string, width: number): string[] {
  const phrases: string[] = [];
  for (const word of command.match(SHELL_WORD) ?? []) {
    const phrase = phrases.at(-1);
    const isValue = phrase !== undefined && /^-\S+$/.test(phrase) && !word.startsWith('-');
    if (isValue) phrases[phrases.length - 1] = `${phrase} ${word}`;
    else phrases.push(word);
  }
  const lines: string[] = [];
  let line = '';
  for (const phrase of phrases) {
    const fits = textWidth(line) + 1 + textWidth(phrase) <= width - 2;
    if (line === '' || fits) line = line === '' ? phrase : `${line} ${phrase}`;
    else {
      lines.push(`${line} \\`);
      line = `  ${phrase}`;
    }
  }
  return [...lines, line];
}

function explain({ reasons, next }: ScannedDirectory, width: number): string[] {
  const [sentence = '', ...commands] = next.split('\n');
  const text = reasons.length === 0 ? sentence : `${reasons.join('; ')}. ${sentence}`;
  return [
    ...wrapText(printable(text), width),
    ...commands.flatMap((line) => breakCommand(printable(line), width)),
  ];
}

/** Longer labels get a line of their own, and what there is to say stands below. */
const LABEL_MOST = 24;

interface Entry {
  readonly label: string;
  lines(width: number): string[];
}

function labelled(entries: readonly Entry[], columns: number): string[] {
  const widest = Math.max(...entries.map(({ label }) => textWidth(label)));
  const beside = widest <= Math.min(LABEL_MOST, columns / 3);
  const indent = beside ? widest + 3 : 4;
  return entries.flatMap(({ label, lines }) => {
    const text = lines(columns - indent).map((line) => (' '.repeat(indent) + line).trimEnd());
    if (!beside) return [label, ...text];
    const [first = '', ...rest] = text;
    return [label + first.slice(textWidth(label)), ...rest];
  });
}

function explanations(report: ScanReport, view: ScanView): string[] {
  const entries = report.directories
    .filter(({ verdict }) => verdict !== 'ready')
    .map((directory) => ({
      label: printable(directory.path),
      lines: (width: number) => explain(directory, width),
    }));
  return entries.length === 0 ? [] : labelled(entries, view.columns);
}

const NAMED = 3;

function nameSome(names: readonly string[], all: boolean): string {
  const shown = all ? names : names.slice(0, NAMED);
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function bullet(text: string, columns: number): string[] {
  return wrapText(printable(text), columns - 2).map((line, index) => (index === 0 ? '· ' : '  ') + line);
}

/** The same note on many directories is said once. */
function notes(report: ScanReport, view: ScanView): string[] {
  const all = view.verbose === true;
  const byNote = new Map<string, string[]>();
  const add = (note: string, of: string) => byNote.set(note, [...(byNote.get(note) ?? []), of]);
  for (const directory of report.directories) for (const note of directory.notes) add(note, directory.path);
  for (const disk of report.disks) if (disk.note !== undefined) add(disk.note, disk.id);
  for (const { path, reason } of report.skipped) add(`not looked into, ${reason}`, path);
  const lines = [...byNote].map(([note, of]) => `${nameSome(of, all)}: ${note}`);
  if (report.looseKeys.length > 0) {
    const keys = report.looseKeys.map(({ path, smesherId, fault }) => {
      return `${path} (${smesherId === undefined ? fault : shortId(smesherId)})`;
    });
    lines.push(`${plural(keys.length, 'key file')} of none of these directories: ${nameSome(keys, all)}`);
  }
  return lines.flatMap((line) => bullet(line, view.columns));
}

function nothingFound(report: ScanReport, view: ScanView): string[] {
  const where = nameSome(report.roots, view.verbose === true);
  return [
    ...wrapText(printable(`No PoST directory found under ${where}.`), view.columns),
    ...wrapText(
      'One holds postdata_metadata.json and postdata_0.bin, postdata_1.bin and so on. Name the place ' +
        '(smesh-compose scan DIR) or look deeper (--depth); as another user you may see more (sudo).',
      view.columns - 2,
    ).map((line) => `  ${line}`),
  ];
}

/**
 * The report as a person reads it (ux.md, "scan"): how many of which kind, one table by disk, what to do with each that
 * is not ready, then what is worth knowing. No line is wider than the view except a single word that is.
 */
export function renderScan(report: ScanReport, view: ScanView): string {
  const blocks =
    report.directories.length === 0
      ? [nothingFound(report, view), notes(report, view)]
      : [
          [headLine(report, view.columns)],
          directoryTable(report, view),
          ...(view.verbose === true ? [diskTable(report, view)] : []),
          explanations(report, view),
          notes(report, view),
        ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}
