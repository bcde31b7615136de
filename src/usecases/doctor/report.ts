import { dirname, resolve } from 'node:path';
import type { KeySweep } from '../../domain/doctor/key-sweep.ts';
import { Redactor } from '../../domain/doctor/redact.ts';
import { tarOf } from '../../domain/doctor/tar.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { doctorDocument } from '../../ui/doctor-json.ts';
import { version } from '../../version.ts';
import type { Context } from '../context.ts';
import { projectOwner } from '../owners.ts';
import type { Examination } from './examine.ts';
import { gatherKeys, gatherKnowledge } from './report-knowledge.ts';
import { gatherParts, type MissingPart, type ReportPart } from './report-parts.ts';

export interface ReportRequest {
  /** Absolute or relative to the current folder; absent: a name with the time, in the project's folder. */
  readonly out?: string;
  readonly logLines: number;
}

export interface WrittenReport {
  readonly path: string;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly what: string; readonly bytes: number }[];
  readonly missing: readonly MissingPart[];
  /** How many values of each kind have a pseudonym now. */
  readonly pseudonyms: Readonly<Record<string, number>>;
  /** Keys that were looked for once more in what had been blanked. */
  readonly keysLookedFor: number;
}

const FOLDER = 'smesh-report';
/** A line beyond that is some program's dump; it is cut after it was blanked. */
const LONGEST_LINE = 4000;

/**
 * Writes the archive for a bug report: gathered, blanked by rules, looked through once more for the keys that are known
 * here, packed. Nothing of it is ever on a disk before it is blanked. An existing file is never replaced.
 */
export async function writeReport(
  context: Context,
  examination: Examination,
  request: ReportRequest,
): Promise<WrittenReport> {
  const { looks, at, exitCode, findings, project } = examination;
  const path = resolve(request.out ?? `${context.directory}/${FOLDER}-${stamp(at)}.tar.gz`);
  await refuseExisting(context, path);
  const [{ parts, missing }, knowledge, keys] = await Promise.all([
    gatherParts(context, looks, request),
    gatherKnowledge(context, looks),
    gatherKeys(context, looks),
  ]);
  const doctor: ReportPart = {
    kind: 'value',
    path: 'doctor.json',
    what: 'what doctor says',
    value: doctorDocument({
      at,
      exitCode,
      toolVersion: version,
      directory: context.directory,
      ...(project === undefined ? {} : { project }),
      findings,
    }),
  };
  const redactor = new Redactor(knowledge);
  const files = [doctor, ...parts].map((part) => ({
    path: part.path,
    what: part.what,
    text: blank(part, redactor, keys.sweep),
  }));
  const safeMissing = missing.map(({ what, why }) => ({ what, why: keys.sweep.clean(redactor.text(why)) }));
  const readme = { path: 'README.txt', what: 'what is in this archive', text: readmeOf(files, safeMissing) };
  const all = [readme, ...files].map((file) => ({ ...file, content: new TextEncoder().encode(file.text) }));
  const tar = tarOf(
    all.map(({ path: name, content }) => ({ path: `${FOLDER}/${name}`, content })),
    at / 1000,
  );
  const archive = await context.ports.archive();
  const packed = await archive.gzip(tar);
  await context.ports.files.writeNew(path, packed, { mode: 0o600, ...(await projectOwner(context)) });
  return {
    path,
    bytes: packed.length,
    files: all.map(({ path: name, what, content }) => ({ path: name, what, bytes: content.length })),
    missing: safeMissing,
    pseudonyms: redactor.counts(),
    keysLookedFor: keys.known,
  };
}

/** `20261121-030405`, UTC. */
function stamp(at: number): string {
  return new Date(at).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}

async function refuseExisting(context: Context, path: string): Promise<void> {
  const { files } = context.ports;
  if (await files.exists(path)) {
    throw new SmeshError('report-exists', ExitCode.usage, `${path} is there already, and is not replaced`, {
      hint: 'Name another file: --out FILE',
    });
  }
  if (await files.exists(dirname(path))) return;
  throw new SmeshError(
    'no-such-folder',
    ExitCode.usage,
    `There is no folder ${dirname(path)} for the report`,
    {
      hint: 'Name a file in a folder that is there: --out FILE',
    },
  );
}

function blank(part: ReportPart, redactor: Redactor, sweep: KeySweep): string {
  switch (part.kind) {
    case 'file':
      return sweep.clean(redactor.file(part.path, part.text));
    case 'value':
      return sweep.clean(`${JSON.stringify(redactor.value(toPlain(part.value)), null, 2)}\n`);
    case 'log': {
      const texts = part.lines.map(({ text }) => redactor.text(text.replace(/[\r\n]+/g, ' ')));
      // Before times stand between the lines: a key may be broken over two of them.
      const cleaned = sweep.clean(texts.join('\n')).split('\n');
      if (cleaned.length !== part.lines.length) return cleaned.join('\n');
      return part.lines
        .map(({ at, stream }, index) => {
          const line = (cleaned[index] ?? '').slice(0, LONGEST_LINE);
          return `${new Date(at).toISOString()} ${stream === 'stderr' ? 'E' : 'O'} ${line}\n`;
        })
        .join('');
    }
  }
}

/** As JSON has it: whatever else is in a value (big numbers, dates) becomes text first. */
function toPlain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
  return text === undefined ? null : JSON.parse(text);
}

function readmeOf(
  files: readonly { readonly path: string; readonly what: string }[],
  missing: readonly MissingPart[],
): string {
  const width = Math.max(...files.map(({ path }) => path.length));
  return [
    `Report of smesh-compose ${version} for a bug.`,
    '',
    'Keys, accounts, addresses of machines, names of hosts and users, passwords and tokens have been blanked:',
    '[blanked], or a name such as [smesher-1] or [ip-3], the same one for the same value throughout this report.',
    'Key files and PoST data are not in it. Look through it before you send it.',
    '',
    ...files.map(({ path, what }) => `${path.padEnd(width)}  ${what}`),
    ...(missing.length === 0 ? [] : ['', 'Not in it:', ...missing.map(({ what, why }) => `${what}: ${why}`)]),
    '',
  ].join('\n');
}
