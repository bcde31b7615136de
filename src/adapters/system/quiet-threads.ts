import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';

const LOOK_MS = 5;
const LONGEST_MS = 2000;

/**
 * Resolves when no thread of this process works any more, at the latest after two seconds. process.exit waits for threads
 * that still compile, and such a thread may wait for this one to collect garbage: then neither ends, long after everything
 * was printed (nodejs/node#54918, Node.js 20 to 26). So no new such work is begun, and what was begun comes to its end while
 * this thread can still help it.
 */
export async function quietThreads(): Promise<void> {
  setFlagsFromString('--no-opt');
  const until = performance.now() + LONGEST_MS;
  do await sleep(LOOK_MS);
  while (othersWork() && performance.now() < until);
}

/** Whether another thread runs or would like to; where there is no /proc nobody can tell, and nobody is waited for. */
function othersWork(): boolean {
  try {
    return readdirSync('/proc/self/task').some(
      (thread) => thread !== String(process.pid) && stateOf(thread) === 'R',
    );
  } catch {
    return false;
  }
}

/** `R` runs or waits for a core. A thread that has ended meanwhile has none. */
function stateOf(thread: string): string | undefined {
  try {
    const text = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
    return text[text.lastIndexOf(')') + 2];
  } catch {
    return undefined;
  }
}
