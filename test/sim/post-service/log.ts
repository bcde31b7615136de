/** Log lines as env_logger writes them, filtered by `RUST_LOG` (spacemesh.md §3.1, §14.1). */

const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;
type Threshold = (typeof LEVELS)[number];
export type Level = Exclude<Threshold, 'off'>;

/** Rust module paths that the real program logs under. */
export type Target =
  | 'post_service'
  | 'post_service::client'
  | 'post_service::service'
  | 'post_service::operator'
  | 'post::prove'
  | 'post::reader';

export type Log = (level: Level, target: Target, message: string) => void;

interface Directive {
  readonly target: string;
  readonly threshold: Threshold;
}

/** A logger to `write`; a filter that is not set counts as `info`, an empty one as `error`. */
export function createLog(filter: string | undefined, write: (line: string) => void): Log {
  const directives = parseFilter(filter ?? 'info');
  return (level, target, message) => {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(thresholdFor(directives, target))) return;
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    write(`[${time} ${level.toUpperCase().padEnd(5)} ${target}] ${message}\n`);
  };
}

function parseFilter(filter: string): readonly Directive[] {
  const directives: Directive[] = [];
  // What follows a slash is a pattern on the text; nothing here needs it.
  for (const part of (filter.split('/')[0] ?? '').split(',')) {
    const text = part.trim();
    if (text === '') continue;
    const [left = '', right] = text.split('=');
    const alone = right === undefined ? asThreshold(left) : undefined;
    if (alone !== undefined) directives.push({ target: '', threshold: alone });
    else if (right === undefined) directives.push({ target: left, threshold: 'trace' });
    else {
      const threshold = asThreshold(right);
      if (threshold !== undefined) directives.push({ target: left, threshold });
    }
  }
  return directives.length === 0 ? [{ target: '', threshold: 'error' }] : directives;
}

function asThreshold(text: string): Threshold | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}

/** The longest matching target decides; nothing matching means silence. */
function thresholdFor(directives: readonly Directive[], target: string): Threshold {
  let best: Directive = { target: '', threshold: 'off' };
  for (const directive of directives) {
    if (target.startsWith(directive.target) && directive.target.length >= best.target.length)
      best = directive;
  }
  return best.threshold;
}
