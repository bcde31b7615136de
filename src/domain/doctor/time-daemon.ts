/** What a program that keeps the clock says of it. */
export interface ClockKeeper {
  readonly program: 'timedatectl' | 'chronyc';
  readonly synchronised: boolean;
  /** What this host's clock lacks, where it says so. */
  readonly offsetMs?: number;
}

/** `timedatectl show`: `NTP=yes`, `NTPSynchronized=no`. `undefined` for other texts. */
export function readTimedatectl(text: string): ClockKeeper | undefined {
  const synchronised = /^NTPSynchronized=(yes|no)$/m.exec(text)?.[1];
  return synchronised === undefined
    ? undefined
    : { program: 'timedatectl', synchronised: synchronised === 'yes' };
}

/** `chronyc -n tracking`: `System time : 0.000012 seconds slow of NTP time`, `Leap status : Normal`. */
export function readChronyc(text: string): ClockKeeper | undefined {
  const leap = /^Leap status\s*:\s*(.+?)\s*$/m.exec(text)?.[1];
  if (leap === undefined) return undefined;
  const [, seconds, side] = /^System time\s*:\s*([\d.]+) seconds (slow|fast) of NTP time/m.exec(text) ?? [];
  const offset = seconds === undefined ? undefined : Number(seconds) * 1000 * (side === 'slow' ? 1 : -1);
  const synchronised = leap !== 'Not synchronised';
  return {
    program: 'chronyc',
    synchronised,
    ...(offset === undefined || !synchronised ? {} : { offsetMs: offset }),
  };
}

/** What the node's log says about clocks. */
export interface PeerComplaints {
  readonly count: number;
  /** Milliseconds since 1970, of the last one. */
  readonly lastAt: number;
  /** As the node printed it: `12.3s`. */
  readonly lastOffset?: string;
  /** The node has ended itself for it. */
  readonly ended: boolean;
}

/** The node's own words: each round of comparing clocks that went badly, and the end after ten of them (§9.1 hazard 16). */
const COMPLAINT = 'peers offset is larger than max allowed clock difference';
const ENDED = 'timesync: peers are not time synced';

/** Finds the node's complaints in its log; `undefined` when there are none. */
export function readPeerComplaints(
  lines: readonly { readonly at: number; readonly text: string }[],
): PeerComplaints | undefined {
  let count = 0;
  let ended = false;
  let last: { at: number; offset: string | undefined } | undefined;
  for (const { at, text } of lines) {
    const ends = text.includes(ENDED);
    if (!ends && !text.includes(COMPLAINT)) continue;
    ended = ended || ends;
    if (!ends) count += 1;
    const offset = /"offset":\s*"?([-\d.a-zµ]+)/.exec(text)?.[1] ?? /drift = ([-\d.a-zµ]+)/.exec(text)?.[1];
    last = { at, offset: offset ?? last?.offset };
  }
  if (last === undefined) return undefined;
  return {
    count,
    lastAt: last.at,
    ended,
    ...(last.offset === undefined ? {} : { lastOffset: last.offset }),
  };
}
