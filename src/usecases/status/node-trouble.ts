import type { Observation } from '../observe.ts';
import { type Known, notice, problem, type Trouble } from './trouble.ts';

const MINUTE = 60_000;

/** The ports open after migrations and up to 18 minutes per PoET that is away (spacemesh.md §4). */
const NODE_START_MS = 20 * MINUTE;

/** A database that cannot grow stops the node in the middle of an epoch. */
const LEAST_FREE_BYTES = 5 * 2 ** 30;

const LOG_OF_NODE = 'smesh-compose logs node';

/** What is wrong with the node, for all identities alike. */
export function nodeTrouble(observation: Observation, { node, network, identities }: Known): Trouble[] {
  const { container } = node;
  if (container === undefined) {
    // `up` refuses to start it without a key, and data is made for weeks before there is one.
    if (identities.length === 0)
      return [
        notice(
          'node-not-created',
          'The node is not started before there is an identity',
          'smesh-compose add   smesh-compose post init',
        ),
      ];
    return [problem('node-not-created', 'The node has no container yet', 'smesh-compose up')];
  }
  if (container.state === 'paused') {
    // `up` would not start it: a paused container can only be unpaused (spacemesh.md §14.6).
    return [
      problem(
        'node-down',
        'The node is paused: it publishes and registers nothing until it goes on',
        `docker unpause ${container.name}`,
      ),
    ];
  }
  if (container.state !== 'running') {
    const exit = container.exitCode === undefined ? '' : ` (exit ${container.exitCode})`;
    const why = container.startError ?? `its container is ${container.state}${exit}`;
    const next =
      container.exitCode === 0 || container.exitCode === undefined ? 'smesh-compose up' : LOG_OF_NODE;
    return [problem('node-down', `The node is down: ${why}`, next)];
  }
  const upFor = container.startedAt === undefined ? 0 : observation.at - container.startedAt;
  const found: Trouble[] = [];
  if (node.fault !== undefined) {
    const message = `The node's container runs, but the node does not answer (${node.fault})`;
    // A node that failed may linger for half a minute: only its log tells (spacemesh.md §14.2).
    found.push(
      upFor < NODE_START_MS
        ? notice('node-starting', `${message}: it may still be starting`, LOG_OF_NODE)
        : problem('node-silent', message, LOG_OF_NODE),
    );
  } else {
    const states = observation.node.answers?.postStates;
    if (states?.ok === false) {
      found.push(
        problem(
          'post-states-unknown',
          `The node does not say what it wants of its identities (${states.error.message})`,
          'smesh-compose generate, then: smesh-compose up',
        ),
      );
    }
    if (node.synced === false) {
      const message = 'The node is not synced: it neither wants proofs nor publishes any';
      found.push(
        upFor < NODE_START_MS ? notice('not-synced', message) : problem('not-synced', message, LOG_OF_NODE),
      );
    }
    if (node.peers === 0 && network !== 'standalone' && upFor >= NODE_START_MS) {
      found.push(problem('no-peers', 'The node has no peers', 'Is its p2p port reachable from outside?'));
    }
  }
  if (node.freeBytes !== undefined && node.freeBytes < LEAST_FREE_BYTES) {
    found.push(
      problem('disk-full', 'Less than 5 GiB are free where the node keeps its databases', 'Make room there'),
    );
  }
  return found;
}
