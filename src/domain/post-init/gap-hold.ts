/** What is known of the provers of a project when a job is about to start. */
export interface GapFacts {
  /** The node must be left alone: the gap is near or open, and these have yet to publish or register. */
  readonly waiting: readonly string[];
  /** When that is over at the latest, milliseconds since 1970; absent: nobody waits. */
  readonly until?: number;
  /** Names of those that prove now. */
  readonly proving: readonly string[];
  /** Disk of each identity, by its name; one that is not known holds nobody. */
  readonly diskOf: ReadonlyMap<string, string>;
}

export interface GapHold {
  /** Continues a sentence that names the job. */
  readonly why: string;
  readonly until?: number;
}

/**
 * Disks on which no job is started now: somebody there proves, or has yet to in the gap. A writer takes from a reader more
 * than half of its speed (operators.md d.5), and a proof that is late costs an epoch; labels can wait. What runs already
 * goes on: it is said, and stopped by a person.
 */
export function holdDisks({ waiting, until, proving, diskOf }: GapFacts): ReadonlyMap<string, GapHold> {
  const holds = new Map<string, GapHold>();
  const byDisk = (names: readonly string[]) => {
    const found = new Map<string, string[]>();
    for (const name of names) {
      const disk = diskOf.get(name);
      if (disk !== undefined) found.set(disk, [...(found.get(disk) ?? []), name]);
    }
    return found;
  };
  for (const [disk, names] of byDisk(waiting)) {
    holds.set(disk, {
      why: `waits: ${several(names)} on ${disk} ${names.length === 1 ? 'has' : 'have'} yet to prove in this gap${until === undefined ? '' : `, until ${utc(until)} at the latest`}`,
      ...(until === undefined ? {} : { until }),
    });
  }
  for (const [disk, names] of byDisk(proving)) {
    if (!holds.has(disk)) holds.set(disk, { why: `waits: ${several(names)} on ${disk} is proving` });
  }
  return holds;
}

/** `2026-11-28 08:00 UTC` */
function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function several(names: readonly string[]): string {
  return names.length <= 2 ? names.join(' and ') : `${names[0]} and ${names.length - 1} others`;
}
