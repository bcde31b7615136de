import type { DiskPlace } from '../../../domain/backup/contents.ts';
import type { RestoreDecision } from '../../../domain/backup/decide-restore.ts';
import type { OldDatabase } from '../../../domain/backup/old-database.ts';
import { describeHolder, isForeign } from '../../../domain/identity/lease-findings.ts';
import { plural } from '../../../ui/units.ts';
import type { Context } from '../../context.ts';
import { judgeInstalledKeys } from '../../leases/check-leases.ts';
import { identitiesFolder } from '../../node-keys.ts';
import type { RestoreLook } from './look.ts';
import type { RestoreRequest } from './request.ts';

function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function showPlan(
  context: Context,
  { contents }: RestoreLook,
  { put, kept }: RestoreDecision,
  dryRun: boolean,
): void {
  if (context.json) return;
  const made = `Backup of ${contents.project} on ${contents.host}, made ${utc(Date.parse(contents.createdAt))} (${contents.reason})`;
  const lines = put.map(({ target, replaces }) => `  ${replaces ? '~ replace' : '+ write  '} ${target}`);
  if (lines.length > 0)
    context.out.note(
      [made, dryRun ? 'This would be restored (nothing is)' : 'This will be restored', ...lines].join('\n'),
    );
  for (const path of kept) context.out.note(`  = keep    ${path}  another one is in the backup`);
}

export async function reportRestored(
  context: Context,
  look: RestoreLook,
  decision: RestoreDecision,
  database: OldDatabase,
  { dryRun, file }: RestoreRequest,
): Promise<void> {
  const { contents, project } = look;
  const keys = decision.put.filter(({ entry }) => entry.kind === 'key').length;
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun,
      file,
      directory: context.directory,
      createdAt: contents.createdAt,
      restored: decision.put.map(({ target, entry }) => ({ path: target, kind: entry.kind })),
      kept: decision.kept,
      localSql: decision.leftDatabase ? 'left-in-backup' : 'as-in-backup',
      oldDatabase: database,
    });
  } else if (decision.put.length === 0) {
    context.out.result('Everything else is there already, as in the backup. Nothing was changed.');
  } else if (dryRun) {
    context.out.result(`Would restore ${plural(decision.put.length, 'file')}. Nothing was changed.`);
  } else {
    context.out.result(
      `Restored ${plural(decision.put.length, 'file')} to ${context.directory}, ${plural(keys, 'key')} among them.`,
    );
  }
  if (decision.leftDatabase) context.out.warn(leftDatabase(database, contents.createdAt));
  else if (database.kind !== 'current' && decision.put.some(({ entry }) => entry.kind === 'database'))
    context.out.warn(
      'An old local.sql was put back. Before a prover is started: let the node sync (smesh-compose status), and see that none of the identities has an ATX of this epoch already.',
    );
  if (!contents.withKeys)
    context.out.note(
      `There are no private keys in this backup. up installs those that lie beside the PoST data; others must come to ${identitiesFolder(project)}.`,
    );
  const left = contents.entries.filter(({ kind }) => kind === 'retired-key').length;
  if (left > 0)
    context.out.note(
      `${plural(left, 'retired key')} stayed in the backup; take them out by hand if they are wanted: age -d FILE | tar -x`,
    );
  if (dryRun || decision.put.length === 0) return;
  await sayNext(context, look);
}

async function sayNext(context: Context, { contents, project }: RestoreLook): Promise<void> {
  if (project.name !== contents.project)
    context.out.warn(
      `The Compose project is called ${project.name} here, after its folder; it was ${contents.project}. Its containers would be new ones: write name: ${contents.project} into smesh.yaml to keep them.`,
    );
  for (const { id, name, data } of project.identities) {
    if ((await context.ports.files.facts(data).catch(() => undefined)) !== undefined) continue;
    const disk = contents.identities.find((identity) => identity.id === id)?.disk;
    context.out.warn(
      `${name}: its data is not at ${data}${disk === undefined ? '' : `. It was ${onDisk(disk)}`}`,
    );
  }
  const judged = await judgeInstalledKeys(context, project);
  const [foreign] = judged.flatMap(({ verdict }) => (isForeign(verdict) ? [verdict] : []));
  context.out.note(
    [
      '',
      `Before you start it: were any of these identities taken to another node since ${utc(Date.parse(contents.createdAt))}?`,
      'Two nodes with one key: the network cancels that identity for ever.',
      foreign === undefined
        ? 'If not: smesh-compose up'
        : `Their keys were held by ${describeHolder(foreign)}.\nIf that node is gone for good: smesh-compose keys adopt --all   Then: smesh-compose up`,
    ].join('\n'),
  );
}

/** What must be mounted, and opened, to get at the data. */
export function onDisk({ disk, uuid, mountPoint, fileSystem, encryption }: DiskPlace): string {
  return [
    `on ${disk ?? 'an unknown disk'}`,
    ...(uuid === undefined ? [] : [`UUID ${uuid}`]),
    ...(fileSystem === undefined ? [] : [fileSystem]),
    ...(mountPoint === undefined ? [] : [`mounted at ${mountPoint}`]),
    ...(encryption === undefined ? [] : [`encrypted (${encryption})`]),
  ].join(', ');
}

/** What an old one can do, what happens without it, and what to look at first. */
function leftDatabase(database: OldDatabase, createdAt: string): string {
  const since =
    database.kind === 'published-since'
      ? `the gap of epoch ${database.epoch} opened ${utc(database.opens)}, and identities can have published since the backup (${utc(Date.parse(createdAt))})`
      : `the backup is of ${utc(Date.parse(createdAt))}, which is later than this host's clock`;
  return [
    `local.sql was not put back: ${since}.`,
    '  With the older one a node does not know of those ATXs and can make others for the same epoch: the network then',
    '  cancels these identities for ever.',
    '  Without it the node makes a new one: each identity registers anew for the next round, and a proof that was under',
    '  way for this epoch is lost; nothing else. Let the node sync before provers are started (smesh-compose status):',
    '  a synced node knows what each identity has published, and refuses to do it twice.',
    '  If you know that none of them has published since (an explorer shows the ATXs of each smesher ID), the old one',
    '  saves that proof: the same command with --with-old-local-sql',
  ].join('\n');
}
