import type { ProjectFile } from '../schema.ts';
import type { Project } from '../types.ts';

export interface RuleInput {
  /** What the file says. */
  readonly written: ProjectFile;
  /** The same with defaults filled in and paths absolute; entries stand in the same order. */
  readonly project: Project;
}

export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly at?: 'key' | 'value';
}

/** One condition between several keys. Says nothing when it holds. */
export type Rule = (input: RuleInput) => readonly Finding[];

export function error(path: readonly PropertyKey[], message: string): Finding {
  return { severity: 'error', path, message };
}

export function warning(path: readonly PropertyKey[], message: string): Finding {
  return { severity: 'warning', path, message };
}

/** Calls back for every entry whose key an earlier entry has already. */
export function repeated<T>(
  entries: readonly T[],
  key: (entry: T) => string,
  report: (entry: T, index: number, first: T, firstIndex: number) => Finding,
): readonly Finding[] {
  const seen = new Map<string, number>();
  const findings: Finding[] = [];
  entries.forEach((entry, index) => {
    const firstIndex = seen.get(key(entry));
    const first = firstIndex === undefined ? undefined : entries[firstIndex];
    if (firstIndex === undefined || first === undefined) seen.set(key(entry), index);
    else findings.push(report(entry, index, first, firstIndex));
  });
  return findings;
}
