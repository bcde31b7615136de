/*
 * A node without any `*.key` file starts and makes a key of its own, and one with some of its keys starts with those. A
 * `*.key` file that is no key keeps it from starting at all, and it says the file's name when it refuses (spacemesh.md
 * §2.1, §14.2). So the name says what there is to know.
 */

const FIRST_WORDS = 'This is no key, on purpose: ';

/** File names have 255 bytes at most; the directory is the part that may be cut. */
const LONGEST_PLACE = 120;

export interface NewPlace {
  /** Of the project. */
  readonly name: string;
  readonly directory: string;
}

/** `keys-moved-to-farm--see-srv-farm.key`, in the `identities/` of a node whose identities went to a project. */
export function movedNoticeName({ name, directory }: NewPlace): string {
  const place = directory
    .split('/')
    .filter((part) => part !== '')
    .join('-')
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(-LONGEST_PLACE);
  return `keys-moved-to-${name}--see-${place}.key`;
}

/** What stands in it: for whoever opens it, and for the tool, which finds its own notices by it. */
export function movedNotice(place: NewPlace, at: string): string {
  return `${FIRST_WORDS}${JSON.stringify({ movedTo: place.name, directory: place.directory, at })} The keys of this node serve there now. Started here as well, their identities would be lost for ever; so this file keeps this node from starting. The way back, until the node there has run: smesh-compose -C ${place.directory} merge --undo\n`;
}

/** Where the keys went, by the content of such a file; `undefined` for everything else. */
export function readMovedNotice(content: string): (NewPlace & { readonly at: string }) | undefined {
  if (!content.startsWith(FIRST_WORDS)) return undefined;
  const end = content.indexOf('} The keys ');
  try {
    const read = JSON.parse(content.slice(FIRST_WORDS.length, end + 1)) as Readonly<Record<string, unknown>>;
    const { movedTo, directory, at } = read;
    if (typeof movedTo !== 'string' || typeof directory !== 'string' || typeof at !== 'string')
      return undefined;
    return { name: movedTo, directory, at };
  } catch {
    return undefined;
  }
}

/** The ending that a key gets: the node passes over every file that does not end in `.key`. */
export function movedEnding(project: string): string {
  return `.moved-to-${project}`;
}

/** In the `identities/` of the project's own node while its files are being exchanged. */
export const UNFINISHED_NOTICE_NAME = 'merge-is-not-finished--type-smesh-compose-generate.key';

export function unfinishedNotice(directory: string): string {
  return `${FIRST_WORDS}${INTERRUPTED}, and this node must not start before it is finished or taken back. Any command does that first: smesh-compose -C ${directory} generate\n`;
}

const INTERRUPTED = 'a merge was interrupted';

/** Of which project, by the content of such a file; `undefined` for everything else. */
export function readUnfinishedNotice(content: string): { readonly directory?: string } | undefined {
  if (!content.startsWith(`${FIRST_WORDS}${INTERRUPTED}`)) return undefined;
  const directory = / -C (\/.*) generate\n$/s.exec(content)?.[1];
  return directory === undefined ? {} : { directory };
}
