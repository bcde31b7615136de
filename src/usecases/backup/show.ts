import type { Contents } from '../../domain/backup/contents.ts';
import { ExitCode } from '../../domain/errors.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { AgeLock } from '../../ports/age.ts';
import { renderTable } from '../../ui/table.ts';
import { formatBytes, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { BackupList } from './list.ts';
import type { MadeBackup } from './make.ts';
import { onDisk } from './restore/report.ts';
import type { VerifiedBackup } from './verify.ts';

function utc(at: number | string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `2 keys, local.sql (schema 9), 14 files` */
function inShort({ entries }: Contents): string {
  const keys = entries.filter(({ kind }) => kind === 'key' || kind === 'retired-key').length;
  const database = entries.find(({ path }) => path === 'node-data/local.sql');
  const version = database?.userVersion === undefined ? '' : ` (schema ${database.userVersion})`;
  return [
    keys === 0 ? 'no keys' : plural(keys, 'key'),
    database === undefined ? 'no local.sql' : `local.sql${version}`,
    plural(entries.length, 'file'),
  ].join(', ');
}

function entriesToJson({ entries }: Contents) {
  return entries.map(({ path, kind, origin, size, secret }) => ({ path, kind, origin, size, secret }));
}

export function sayMissing(context: Context, { missing }: Contents): void {
  for (const { path, why } of missing) context.out.warn(`Not in it: ${path} (${why})`);
}

export function showCreated(
  context: Context,
  made: MadeBackup,
  lock: AgeLock | undefined,
  warning: string | undefined,
): void {
  const { contents, paths, bytes, failed, removed } = made;
  for (const { destination, error } of failed)
    context.out.warn(`No backup in ${destination}: ${error.message}`);
  sayMissing(context, contents);
  if (warning !== undefined) context.out.warn(warning);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun: false,
      paths,
      bytes,
      encrypted: made.encrypted,
      entries: entriesToJson(contents),
      missing: contents.missing,
      failed: failed.map(({ destination, error }) => ({ destination, message: error.message })),
      removed,
    });
    return;
  }
  const opens =
    lock === undefined
      ? 'not encrypted; without keys'
      : lock.kind === 'passphrase'
        ? 'opens with the passphrase'
        : `opens with the secret half of ${plural(lock.recipients.length, 'age key')}`;
  context.out.result(
    [`${inShort(contents)}; ${formatBytes(bytes)}, ${opens}`, ...paths.map((path) => `  ${path}`)].join('\n'),
  );
  if (removed.length > 0) context.out.note(`${plural(removed.length, 'older one')} removed (backup.keep)`);
  context.out.note(
    lock?.kind === 'recipients'
      ? `Written and read back. Whether it opens: smesh-compose backup verify FILE --age-key KEYFILE`
      : `Written and read back. Whether it opens: smesh-compose backup verify FILE`,
  );
}

export function showWouldCreate(context: Context, contents: Contents, destinations: readonly string[]): void {
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun: true,
      destinations,
      entries: entriesToJson(contents),
      missing: contents.missing,
    });
    return;
  }
  sayMissing(context, contents);
  const rows = contents.entries.map(({ origin, size, secret }) => [
    origin,
    formatBytes(size),
    secret ? 'private' : '',
  ]);
  const columns = [
    { title: 'FILE', flexible: true },
    { title: 'SIZE', align: 'right' as const },
    { title: '' },
  ];
  context.out.result(renderTable(columns, rows, context.out.columns).join('\n'));
  context.out.note(`Would go to ${destinations.join(', ')}. Nothing was written.`);
}

export function showList(context: Context, list: BackupList): ExitCode {
  for (const { destination, why } of list.unreadable)
    context.out.warn(`${destination} cannot be read: ${why}`);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      ...list,
      backups: list.backups.map(({ at, ...backup }) => ({ at: new Date(at).toISOString(), ...backup })),
    });
  } else if (list.backups.length === 0) {
    context.out.result(
      `No backups in ${list.destinations.join(', ')}. Make one: smesh-compose backup create`,
    );
  } else {
    // The path has a line of its own: it is what is copied and typed next.
    const width = Math.max(...list.backups.map(({ reason }) => reason.length));
    const lines = list.backups.flatMap(({ at, reason, encrypted, bytes, path }) => [
      `${utc(at)}  ${reason.padEnd(width)}  ${encrypted ? 'encrypted ' : 'no keys   '}  ${formatBytes(bytes)}`,
      `  ${path}`,
    ]);
    context.out.result(lines.join('\n'));
  }
  return list.unreadable.length > 0 ? ExitCode.invalid : ExitCode.ok;
}

export function showVerified(context: Context, file: string, verified: VerifiedBackup): ExitCode {
  const { contents, faults } = verified;
  if (context.json) {
    const { project, host, createdAt, reason, network, identities, withKeys, missing, tool } = contents;
    context.out.json({
      schemaVersion: 1,
      file,
      ok: faults.length === 0,
      faults,
      contents: { tool, project, host, createdAt, reason, network, withKeys, identities, missing },
      entries: entriesToJson(contents),
    });
  } else {
    const made = `${contents.project} on ${contents.host}, made ${utc(contents.createdAt)} (${contents.reason}) by smesh-compose ${contents.tool}`;
    const identities = contents.identities.map(({ name, id, data, disk }) => {
      const place = disk === undefined ? '' : `  ${onDisk(disk)}`;
      return `  ${name} (${shortId(id)})  ${data}${place}`;
    });
    context.out.result(
      [
        faults.length === 0 ? `Whole: ${inShort(contents)}` : `Opened, and not all of it is right:`,
        ...faults.map((fault) => `  ! ${fault}`),
        made,
        ...identities,
      ].join('\n'),
    );
    sayMissing(context, contents);
    if (!contents.withKeys) context.out.note('There are no private keys in it.');
  }
  return faults.length > 0 ? ExitCode.invalid : ExitCode.ok;
}
