import { recipientFault } from '../../domain/backup/age-recipient.ts';
import { Passphrase, passphraseFault, passphraseInFile } from '../../domain/backup/passphrase.ts';
import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { AgeKey, AgeLock } from '../../ports/age.ts';
import type { Context } from '../context.ts';
import { kindOfBackup } from './open.ts';

export interface LockOptions {
  readonly recipients: readonly string[];
  readonly passphraseFile?: string;
  readonly withoutKeys: boolean;
}

const FLAG = '--passphrase-file FILE, --recipient age1…, or backup.recipients in smesh.yaml';

/**
 * Who shall be able to open a new backup: what was said on the command line, else smesh.yaml, else a passphrase that is
 * asked for twice. `undefined`: a plain archive, without keys.
 */
export async function chooseLock(
  context: Context,
  project: Project,
  options: LockOptions,
): Promise<AgeLock | undefined> {
  const chosen = [options.recipients.length > 0, options.passphraseFile !== undefined, options.withoutKeys];
  if (chosen.filter(Boolean).length > 1)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      '--recipient, --passphrase-file and --without-keys exclude each other',
    );
  if (options.withoutKeys) return undefined;
  if (options.passphraseFile !== undefined)
    return { kind: 'passphrase', passphrase: await newPassphraseIn(context, options.passphraseFile) };
  for (const recipient of options.recipients) {
    const fault = recipientFault(recipient);
    if (fault !== undefined)
      throw new SmeshError('bad-recipient', ExitCode.usage, `--recipient: what was given ${fault}`);
  }
  const recipients = options.recipients.length > 0 ? options.recipients : (project.backup?.recipients ?? []);
  if (recipients.length > 0) return { kind: 'recipients', recipients };
  return { kind: 'passphrase', passphrase: await askTwice(context) };
}

/** What opens a backup; `undefined` for a plain one. */
export async function chooseKey(
  context: Context,
  file: string,
  options: { readonly passphraseFile?: string; readonly ageKey?: string },
): Promise<AgeKey | undefined> {
  const kind = await kindOfBackup(context, file);
  if (kind === 'plain') return undefined;
  if (kind === 'key') {
    if (options.ageKey === undefined)
      throw new SmeshError(
        'key-required',
        ExitCode.usage,
        `${file} was encrypted for age keys, and opens with the secret half of one of them`,
        { hint: 'Name the file that age-keygen made: --age-key FILE' },
      );
    return { kind: 'key-file', content: new Passphrase(await readSecret(context, options.ageKey)) };
  }
  if (options.passphraseFile !== undefined) {
    const text = passphraseInFile(await readSecret(context, options.passphraseFile));
    return { kind: 'passphrase', passphrase: new Passphrase(text) };
  }
  const text = await context.ports.prompt.secret({
    message: 'Passphrase of the backup:',
    flag: '--passphrase-file FILE',
  });
  return { kind: 'passphrase', passphrase: new Passphrase(text) };
}

async function newPassphraseIn(context: Context, path: string): Promise<Passphrase> {
  const text = passphraseInFile(await readSecret(context, path));
  const fault = passphraseFault(text);
  if (fault !== undefined)
    throw new SmeshError('weak-passphrase', ExitCode.usage, `The passphrase in ${path} ${fault}`);
  return new Passphrase(text);
}

async function askTwice(context: Context): Promise<Passphrase> {
  const { prompt } = context.ports;
  const first = await prompt.secret({
    message: 'Passphrase for the backup:',
    explanation: `Whoever has the file and the passphrase has the keys; without the passphrase nobody can open it, you neither.\nBetter, because automatic backups can use it: an age key (age-keygen), its public half in smesh.yaml, backup.recipients.`,
    flag: FLAG,
    validate: (answer) => {
      const fault = passphraseFault(answer);
      return fault === undefined ? undefined : `It ${fault}.`;
    },
  });
  const second = await prompt.secret({
    message: 'The same once more:',
    flag: FLAG,
    validate: (answer) => (answer === first ? undefined : 'It is not the same. Ctrl-C begins anew.'),
  });
  if (second !== first) throw cancelled('the passphrases differ');
  return new Passphrase(first);
}

async function readSecret(context: Context, path: string): Promise<string> {
  const { files } = context.ports;
  const facts = await files.facts(path);
  if (facts === undefined) throw new SmeshError('no-secret-file', ExitCode.usage, `There is no file ${path}`);
  if (facts.kind === 'directory')
    throw new SmeshError('no-secret-file', ExitCode.usage, `${path} is a directory, not a file`);
  if (facts.size > 64 * 1024)
    throw new SmeshError(
      'no-secret-file',
      ExitCode.usage,
      `${path} is too large for a passphrase or an age key`,
    );
  if (facts.kind === 'file' && (facts.mode & 0o077) !== 0)
    context.out.warn(`${path} can be read by others than its owner: chmod 600 ${quoteForShell(path)}`);
  return files.readText(path);
}
