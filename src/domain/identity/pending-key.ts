/*
 * The key of an identity whose PoST data is not complete yet. It stands in the node's identities folder, where it is
 * looked for and backed up, under a name that the node passes over: it reads `*.key` alone (spacemesh.md §2.1, §14.2).
 * Installed before its data is there, the node would ask for its proof for weeks.
 */

const ENDING = '.key.pending';

/** File name of the key that waits for its data. @param name of the identity to be, such as `post-0011` */
export function pendingKeyFile(name: string): string {
  return `${name}${ENDING}`;
}

/** The identity's name in such a file name; `undefined` for any other file. */
export function pendingName(file: string): string | undefined {
  return file.endsWith(ENDING) && file.length > ENDING.length ? file.slice(0, -ENDING.length) : undefined;
}
