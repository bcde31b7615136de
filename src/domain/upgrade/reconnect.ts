import type { ObservedContainer } from '../compose/observed.ts';
import { isHeld } from '../proving/identity-state.ts';

/** A post-service after the node's start. */
export interface Reconnecting {
  readonly name: string;
  /** It has found the node since. */
  readonly connected: boolean;
  /** As it is now; absent: gone. */
  readonly container?: Pick<ObservedContainer, 'state' | 'host'>;
}

export interface ReconnectVerdict {
  /** Whether they show that nobody can find the node. */
  readonly nobodyCan: boolean;
  /** Could have found it, and have not. */
  readonly lost: readonly string[];
  /** Could not have: held, paused, stopped or gone. They say nothing about the node. */
  readonly unable: readonly string[];
}

/** Whether it can work at all: one in a restart loop tries, and fails. */
export function couldReconnect(container: Reconnecting['container']): boolean {
  if (container === undefined || isHeld(container.host)) return false;
  return container.state === 'running' || container.state === 'restarting';
}

/** What post-services tell about a node with another image: only those that could find it count. */
export function judgeReconnect(provers: readonly Reconnecting[]): ReconnectVerdict {
  const open = provers.filter(({ connected }) => !connected);
  const lost = open.filter(({ container }) => couldReconnect(container));
  return {
    nobodyCan: lost.length > 0 && open.length === provers.length,
    lost: lost.map(({ name }) => name),
    unable: open.filter((one) => !lost.includes(one)).map(({ name }) => name),
  };
}
