import type { Context } from '../context.ts';

/** On the disk of the node's data, so that what is made there takes its place in one step. A node passes over it. */
function stagingRoot(nodeData: string): string {
  return `${nodeData}/.smesh-merge`;
}

export function stagingFolder(nodeData: string, stamp: string): string {
  return `${stagingRoot(nodeData)}/${stamp}`;
}

/** Copies that a killed merge left. Only without a journal: an unfinished one needs them. */
export async function removeStaging({ ports }: Context, nodeData: string): Promise<void> {
  const root = stagingRoot(nodeData);
  if (await ports.files.exists(root)) await ports.files.removeOwn(root);
}

/** `2026-11-27T09-30-00-000Z` */
export function stampOf(at: number): string {
  return new Date(at).toISOString().replace(/[:.]/g, '-');
}
