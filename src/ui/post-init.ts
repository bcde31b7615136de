import type { FileRange } from '../domain/post-init/split.ts';
import { printable } from './text.ts';
import { formatBytes, formatDuration, plural } from './units.ts';

/** One identity that is to be made, for people. */
export interface NewIdentityWords {
  readonly name: string;
  readonly units: number;
  readonly bytes: number;
  readonly data: string;
  readonly disk: string;
  readonly fileSystem: string;
  /** What is free there when all that is planned is written. */
  readonly freeAfter: number;
  readonly keyPath: string;
  readonly keyIsThere: boolean;
  readonly jobs: readonly {
    readonly name: string;
    readonly card: string;
    readonly range?: FileRange;
  }[];
  /** Milliseconds, where a rate is known. */
  readonly takesMs?: number;
}

export interface NewDataWords {
  readonly identities: readonly NewIdentityWords[];
  readonly commitment?: string;
  /** How the backup of the keys is locked, and where it goes. */
  readonly backup: string;
  readonly dryRun: boolean;
  readonly resumed: boolean;
}

/** What `post init` is about to do, as a person reads it before saying yes. */
export function renderNewData(words: NewDataWords): readonly string[] {
  const { identities, dryRun, resumed } = words;
  const what = resumed ? 'gone on with' : 'made';
  return [
    '',
    dryRun ? `This would be ${what} (nothing is)` : `This will be ${what}`,
    ...identities.flatMap((identity) => identityLines(identity)),
    ...(words.commitment === undefined ? [] : [line('commitment', words.commitment)]),
    line('backup', words.backup),
  ];
}

function identityLines(identity: NewIdentityWords): readonly string[] {
  const { name, units, bytes, data, disk, fileSystem, freeAfter, keyPath, keyIsThere, jobs } = identity;
  const time = identity.takesMs === undefined ? '' : `, about ${formatDuration(identity.takesMs)}`;
  return [
    line(name, `${plural(units, 'unit')} (${formatBytes(bytes)}) in ${data}`),
    line('', `on ${disk} (${fileSystem}), ${formatBytes(freeAfter)} free when all is done${time}`),
    line(
      '',
      keyIsThere
        ? `its key is there: ${keyPath}`
        : `its key first: ${keyPath}, which the node passes over until the data is whole`,
    ),
    ...jobs.map(({ name: job, card, range }) =>
      line('', `job ${job} on ${card}${range === undefined ? '' : `, files ${range[0]} to ${range[1]}`}`),
    ),
  ];
}

function line(head: string, text: string): string {
  return `  ${printable(head).padEnd(12)} ${printable(text)}`;
}
