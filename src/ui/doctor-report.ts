import { printable } from './text.ts';
import { formatBytes, plural } from './units.ts';

export interface ReportShown {
  readonly path: string;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly what: string; readonly bytes: number }[];
  readonly missing: readonly { readonly what: string; readonly why: string }[];
  readonly keysLookedFor: number;
}

/** Logs of 150 services are one line. */
function rows(files: ReportShown['files']): [string, string][] {
  const logs = files.filter(({ path }) => path.startsWith('logs/'));
  const others = files.filter((file) => !logs.includes(file));
  const listed = others.map(({ path, what }): [string, string] => [path, what]);
  if (logs.length === 0) return listed;
  return [...listed, ['logs/', `${plural(logs.length, 'service')}: ${logs[0]?.what ?? ''}`]];
}

/** What was written, what is in it, and the request to look at it first. */
export function renderReport(report: ReportShown): string[] {
  const listed = rows(report.files);
  const width = Math.max(...listed.map(([path]) => path.length));
  const path = printable(report.path);
  return [
    `Written: ${path} (${formatBytes(report.bytes)}, readable by you alone)`,
    '',
    ...listed.map(([name, what]) => `  ${name.padEnd(width)}  ${printable(what)}`),
    ...report.missing.map(({ what, why }) => `  not in it: ${printable(what)} (${printable(why)})`),
    '',
    'Blanked: private keys, smesher IDs (as [smesher-1] …), accounts, addresses, names of hosts and',
    'users, passwords, tokens, environments.',
    report.keysLookedFor > 0
      ? `Then searched once more for pieces of ${plural(report.keysLookedFor, 'private key')} of this project.`
      : 'No private key of this project could be read to search for it once more.',
    'Look through it before you send it:',
    `  tar -xzOf ${/^[\w./-]+$/.test(path) ? path : `'${path}'`} | less`,
  ];
}
