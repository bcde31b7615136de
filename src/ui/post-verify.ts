import { shortId } from '../domain/identity/smesher-id.ts';
import { formatRange, formatRanges } from '../domain/post/completeness.ts';
import type { FileRange } from '../domain/post-verify/files-to-check.ts';
import type { VerifiedRecord, WrongLabel } from '../domain/post-verify/record.ts';
import { redoCommands } from '../domain/post-verify/redo.ts';
import {
  type LabelsLook,
  type PlaceReport,
  structureIsWhole,
  type VerifyPlace,
  type VerifyReport,
} from '../domain/post-verify/report.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { countdown } from './moments.ts';
import { VERDICT_WORDS } from './scan.ts';
import { type Column, renderTable } from './table.ts';
import { printable } from './text.ts';
import { plural } from './units.ts';

const COLUMNS: readonly Column[] = [
  { title: 'DISK', flexible: true },
  { title: 'DATA', flexible: true, minWidth: 12, cut: 'start' },
  { title: 'UNITS', align: 'right' },
  { title: 'SMESHER' },
  { title: 'STRUCTURE' },
  { title: 'LABELS', flexible: true, minWidth: 24 },
];

/** `post verify` as a table, and below it what is wrong and what to type. */
export function renderVerify(
  report: VerifyReport,
  { columns }: { readonly columns: number },
): readonly string[] {
  const rows = report.places.map(({ place, labels, last }) => {
    const metadata = place.directory?.metadata;
    return [
      place.directory === undefined ? '–' : place.disk,
      place.name ?? place.path,
      metadata === undefined ? '–' : `${metadata.units}`,
      metadata === undefined ? '–' : shortId(metadata.smesherId),
      structureWord(place),
      labelsCell(labels, last, report),
    ];
  });
  const troubles = report.places.flatMap((one) => [
    ...structureTrouble(one.place),
    ...labelTrouble(one, report),
  ]);
  return [
    ...renderTable(COLUMNS, rows, columns),
    ...(troubles.length === 0 ? [] : ['', ...troubles]),
    ...(report.kept ? ['', 'Remembered. See: smesh-compose post verify --last'] : []),
  ];
}

function structureWord(place: VerifyPlace): string {
  const { directory } = place;
  if (directory === undefined) return 'not seen';
  return structureIsWhole(place) ? 'whole' : VERDICT_WORDS[directory.verdict];
}

function labelsCell(
  labels: LabelsLook,
  last: VerifiedRecord | undefined,
  { fraction, at }: VerifyReport,
): string {
  if (labels.kind === 'not-checked') {
    return last === undefined
      ? 'not checked'
      : `${found(last.wrong, last.fraction, last)}, ${countdown(last.at, at)}`;
  }
  const words = found(labels.wrong, fraction, labels.range);
  return labels.kind === 'checked'
    ? words
    : `${labels.kind}${labels.range === undefined ? '' : `; ${words}`}`;
}

function found(wrong: readonly WrongLabel[], fraction: number, range: FileRange | undefined): string {
  if (wrong.length > 0) return `wrong in ${formatRanges(wrong.map(({ file }) => [file, file] as const))}`;
  const of = range === undefined ? '' : ` of ${formatRanges([[range.from, range.to]])}`;
  return `right (${fraction} %${of})`;
}

function nameOf({ name, path }: VerifyPlace): string {
  return printable(name === undefined ? path : `${name} (${path})`);
}

function structureTrouble(place: VerifyPlace): readonly string[] {
  const { directory, fault } = place;
  if (directory === undefined) return [`! ${nameOf(place)}: ${printable(fault ?? 'was not seen')}`];
  if (structureIsWhole(place)) return [];
  return [
    `! ${nameOf(place)}: ${printable(directory.reasons.join('; '))}`,
    ...directory.next.split('\n').map((line) => `    ${printable(line)}`),
  ];
}

function labelTrouble({ place, labels, last }: PlaceReport, report: VerifyReport): readonly string[] {
  const { fraction } = report;
  if (labels.kind === 'not-checked') {
    const told = place.fault === undefined && labels.why !== 'not asked for' && labels.why !== 'see below';
    return [
      ...(told ? [`! ${nameOf(place)}: labels not checked: ${printable(labels.why)}`] : []),
      ...(last !== undefined && last.wrong.length > 0
        ? wrongLabels(place, last.wrong, { fraction: last.fraction })
        : []),
    ];
  }
  return [
    ...(labels.wrong.length > 0
      ? wrongLabels(place, labels.wrong, { fraction, ...(labels.range && { range: labels.range }) })
      : []),
    ...(labels.kind === 'checked' ? [] : interrupted(place, labels, report)),
  ];
}

function interrupted(
  place: VerifyPlace,
  { kind, why, range }: Exclude<LabelsLook, { kind: 'not-checked' }>,
  { fraction, toFile }: VerifyReport,
): readonly string[] {
  const sign = kind === 'failed' ? '!' : '·';
  const head = `${sign} ${nameOf(place)}: ${kind === 'failed' ? 'labels could not be checked' : 'stopped'}: ${printable(why ?? '')}`;
  if (kind === 'failed') return [head];
  const from = range === undefined ? '' : ` --from-file ${range.to + 1}`;
  const to = toFile === undefined ? '' : ` --to-file ${toFile}`;
  return [
    head,
    `    Nothing is lost. Go on later with: smesh-compose post verify ${wordFor(place)}${from}${to} --fraction ${fraction}`,
  ];
}

function wordFor({ name, path }: VerifyPlace): string {
  return quoteForShell(name ?? path);
}

/** More than these are counted: what to type next must stay in sight. */
const NAMED_FILES = 8;

/** What a wrong label means, and how its file is written again without anything being deleted. */
function wrongLabels(place: VerifyPlace, wrong: readonly WrongLabel[], look: Looked): readonly string[] {
  const one = wrong.length === 1;
  const named = wrong.slice(0, NAMED_FILES);
  const others = wrong.length - named.length;
  const found = [
    `! ${nameOf(place)}: wrong labels`,
    ...named.map(({ file, offset }) => `    file ${file} (postdata_${file}.bin): at offset ${offset}`),
    ...(others > 0 ? [`    … and ${plural(others, 'more file')}`] : []),
    `    ${look.fraction >= 100 ? 'Behind these' : `In a sample of ${look.fraction} % these were met;`} there may be more${look.fraction >= 100 ? ' in the same files' : ''}.`,
  ];
  if (!one && look.range !== undefined && wrong.length > look.range.to - look.range.from) {
    return [
      ...found,
      '    Every file has one. So look first whether these data are what they are taken for: with another scrypt N, or',
      '    with metadata of other data, every label looks wrong. Leave the files as they are until that is clear.',
    ];
  }
  return [
    ...found,
    '    A proof that meets a wrong label is invalid: the node throws it away and the epoch is lost. It comes from a',
    '    card that computed wrongly, or from a disk that changed what was written: look at both (dmesg, smartctl).',
    `    Have ${one ? 'the file' : 'the files'} written again; what is there now is kept beside, nothing is deleted:`,
    ...redoCommands(
      place,
      named.map(({ file }) => file),
    ).map((line) => `      ${printable(line)}`),
    ...(place.served === true || place.servedBy !== undefined
      ? [
          '    (-provider is the card, as smesh-compose gpu list numbers them; it writes this file and touches no other.)',
        ]
      : []),
  ];
}

/** How much of what was looked at. */
interface Looked {
  readonly fraction: number;
  readonly range?: FileRange;
}

/** The same for `--json`. */
export function verifyDocument({ at, fraction, places, kept }: VerifyReport, exitCode: number): unknown {
  return {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    fraction,
    kept,
    exitCode,
    places: places.map(({ place, labels, last }) => ({
      ...structureOf(place),
      labels:
        labels.kind === 'not-checked'
          ? { checked: false, reason: labels.why }
          : {
              checked: labels.kind === 'checked',
              files:
                labels.range === undefined
                  ? null
                  : formatRange([labels.range.from, labels.range.to]).replace('–', '-'),
              wrong: labels.wrong,
              ...(labels.why === undefined ? {} : { reason: labels.why }),
            },
      last:
        last === undefined
          ? null
          : {
              at: new Date(last.at).toISOString(),
              fraction: last.fraction,
              fromFile: last.from,
              toFile: last.to,
              wrong: last.wrong,
            },
    })),
  };
}

/** What was seen of structure and key, for a refusal's facts. */
export function structureFacts(places: readonly VerifyPlace[]): readonly unknown[] {
  return places.map(structureOf);
}

function structureOf(place: VerifyPlace): Readonly<Record<string, unknown>> {
  const { path, name, disk, directory, fault } = place;
  return {
    path,
    name: name ?? null,
    disk: directory === undefined ? null : disk,
    smesherId: directory?.metadata?.smesherId ?? null,
    units: directory?.metadata?.units ?? null,
    structure: directory === undefined ? null : directory.verdict,
    reasons: directory === undefined ? [fault ?? 'not seen'] : directory.reasons,
    next: directory?.next ?? null,
    hasNonce: directory?.hasNonce ?? null,
  };
}
