import { resolve } from 'node:path';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { createBackup } from '../usecases/backup/create.ts';
import { listBackups } from '../usecases/backup/list.ts';
import { chooseKey } from '../usecases/backup/locks.ts';
import { restoredFolder } from '../usecases/backup/restore/folder.ts';
import { restoreBackup } from '../usecases/backup/restore/restore.ts';
import { showList, showVerified } from '../usecases/backup/show.ts';
import { verifyBackup } from '../usecases/backup/verify.ts';
import { loadProject } from '../usecases/load-project.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, listOption, textOption } from './options.ts';

export const backupCommand = defineCommand({
  name: 'backup',
  summary: 'keys, settings and local.sql in one encrypted file: create, list, verify, restore',
  description:
    'create copies keys, smesh.yaml, overrides, node config, local.sql (whether the node runs or not), metadata of the PoST data and the p2p identity into one file in the age format; never labels. Whoever can open it has the keys. verify reads a file to its end and writes nothing. restore goes into an empty folder, or one whose keys and local.sql are those of the backup, and puts an old local.sql back only on request.',
  arguments: [
    { name: '<action>', summary: 'create, list, verify or restore' },
    { name: '[file]', summary: 'verify, restore: the backup' },
  ],
  options: [
    {
      flags: '--recipient <age1...>',
      summary: 'create: who can open it; default: backup.recipients of smesh.yaml',
    },
    {
      flags: '--passphrase-file <file>',
      summary: 'its first line is the passphrase; without it and without recipients a terminal is asked',
    },
    {
      flags: '--age-key <file>',
      summary: 'verify, restore: the file of age-keygen with the secret half of a recipient',
    },
    { flags: '--without-keys', summary: 'create: not encrypted, and no private key in it' },
    { flags: '--with-state', summary: 'create: state.sql, too (hundreds of GiB; the node must be stopped)' },
    {
      flags: '--to <folder>',
      summary: 'create: where to, instead of backup.to; restore: the project folder',
    },
    {
      flags: '--with-old-local-sql',
      summary: 'restore: local.sql, too, although identities can have published since',
    },
    { flags: '--dry-run', summary: 'create, restore: say what would be done, write nothing' },
  ],
  examples: [
    { command: 'smesh-compose backup create', summary: 'asks for a passphrase' },
    { command: 'smesh-compose backup verify FILE', summary: 'does it open, is all of it there?' },
    {
      command: 'smesh-compose backup restore FILE --to /srv/smesh',
      summary: 'after a disk or a host was lost',
    },
  ],
  async run(invocation, context) {
    const [action = '', file] = invocation.arguments;
    const act = actions[action];
    if (act === undefined)
      throw new SmeshError(
        'unknown-action',
        ExitCode.usage,
        `backup can create, list, verify and restore, not ${action}`,
        { hint: 'See them: smesh-compose backup --help' },
      );
    return act(invocation, context, file);
  },
});

type Action = (invocation: Invocation, context: Context, file: string | undefined) => Promise<number>;

const actions: Readonly<Record<string, Action>> = {
  create(invocation, context) {
    const dryRun = flagOption(invocation, 'dry-run');
    const to = textOption(invocation, 'to');
    return lockedUnlessDry(context, 'backup create', dryRun, async () => {
      const { project } = await loadProject(context);
      return createBackup(context, project, {
        recipients: listOption(invocation, 'recipient') ?? [],
        ...secretFiles(invocation),
        withoutKeys: flagOption(invocation, 'without-keys'),
        withState: flagOption(invocation, 'with-state'),
        ...(to === undefined ? {} : { to: resolve(to) }),
        dryRun,
      });
    });
  },

  async list(_invocation, context) {
    const { project } = await loadProject(context);
    return showList(context, await listBackups(context, project));
  },

  async verify(invocation, context, file) {
    const path = requireFile(file, 'verify');
    const key = await chooseKey(context, path, secretFiles(invocation));
    return showVerified(context, path, await verifyBackup(context, path, key));
  },

  async restore(invocation, context, file) {
    const to = textOption(invocation, 'to');
    const directory = to === undefined ? context.directory : await restoredFolder(context, resolve(to));
    return restoreBackup(
      { ...context, directory },
      {
        file: requireFile(file, 'restore'),
        ...secretFiles(invocation),
        withOldLocalSql: flagOption(invocation, 'with-old-local-sql'),
        dryRun: flagOption(invocation, 'dry-run'),
      },
    );
  },
};

function requireFile(file: string | undefined, action: string): string {
  if (file !== undefined) return resolve(file);
  throw new SmeshError('file-required', ExitCode.usage, `Which backup? smesh-compose backup ${action} FILE`, {
    hint: 'They are listed by: smesh-compose backup list',
  });
}

function secretFiles(invocation: Invocation): { passphraseFile?: string; ageKey?: string } {
  const passphraseFile = textOption(invocation, 'passphrase-file');
  const ageKey = textOption(invocation, 'age-key');
  return {
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(passphraseFile) }),
    ...(ageKey === undefined ? {} : { ageKey: resolve(ageKey) }),
  };
}
