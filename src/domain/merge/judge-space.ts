import type { Finding } from '../plan/findings.ts';
import type { MergeFacts } from './facts.ts';

/** For keys, generated files and what SQLite keeps beside a database while it is written. */
const MARGIN = 32 * 1024 * 1024;

/** Whether there is room for copies of all databases twice, and whether this user may write where it has to be written. */
export function judgeSpace(facts: MergeFacts): readonly Finding[] {
  const { project, directory, free, mayWrite, sources } = facts;
  const all = facts.databaseBytes + sources.reduce((sum, { databaseBytes }) => sum + databaseBytes, 0);
  const needed = 2 * all + MARGIN;
  const kept = facts.databaseBytes + MARGIN;
  const findings: Finding[] = [];
  if (free.nodeData < needed)
    findings.push(tooFull(project.node.data, free.nodeData, needed, 'copies of the databases'));
  else if (free.directory < kept)
    findings.push(tooFull(directory, free.directory, kept, 'the local.sql that is kept'));
  if (!mayWrite.target)
    findings.push(notAllowed(project.node.data, "of this project's node belong to somebody else"));
  for (const [index, source] of sources.entries())
    if (mayWrite.sources[index] === false)
      findings.push(notAllowed(source.folder, 'of that node belong to somebody else'));
  return findings;
}

function tooFull(path: string, free: number, needed: number, what: string): Finding {
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  return {
    code: 'no-space',
    severity: 'error',
    kind: 'refused',
    message: `There is no room for ${what}: ${mebibytes(needed)} are needed, ${mebibytes(free)} are free`,
    evidence: path,
    next: 'Make room on that disk, then merge again',
  };
}

function notAllowed(path: string, why: string): Finding {
  return {
    code: 'foreign-owner',
    severity: 'error',
    kind: 'environment',
    message: `Data and keys ${why}, and you may not make files for them`,
    evidence: path,
    next: 'Run it as that user, or with sudo',
  };
}
