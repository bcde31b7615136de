import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LABEL_BYTES } from './labels.ts';

export interface DataFile {
  readonly name: string;
  readonly path: string;
  readonly index: number;
  readonly size: number;
}

/** How the labels are spread over the files of this run. */
export interface Layout {
  readonly labelsPerFile: number;
  readonly labelsLastFile: number;
  readonly firstFile: number;
  readonly lastFile: number;
}

export function totalFiles(numUnits: number, labelsPerUnit: number, maxFileSize: number): number {
  return Math.ceil((numUnits * labelsPerUnit * LABEL_BYTES) / maxFileSize);
}

/** All `postdata_<n>.bin` in the order of their numbers; none when the folder is not there. */
export function listDataFiles(datadir: string): readonly DataFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(datadir);
  } catch {
    return [];
  }
  const files: DataFile[] = [];
  for (const name of names) {
    const match = /^postdata_(\d+)\.bin$/.exec(name);
    if (match?.[1] === undefined) continue;
    const path = join(datadir, name);
    files.push({ name, path, index: Number(match[1]), size: statSync(path).size });
  }
  return files.sort((a, b) => a.index - b.index);
}
