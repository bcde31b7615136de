import { diesForMemory } from './containers.ts';
import { nudge, proofAccepted, proofRefused } from './node-steps.ts';
import type { SimulatedProver } from './prover.ts';
import { between } from './random.ts';
import type { World } from './world.ts';

/*
 * The steps of one proof, with the lines that the real program writes at each (spacemesh.md §14.1).
 */

const PROVE = 'post::prove';
const CLIENT = 'post_service::client';
const SERVICE = 'post_service::service';

/** Reads the RandomX cache in light mode, or nothing at all: only fast mode builds a dataset. */
const LIGHT_MS = 1500;
const REMOTE_MS = 100;

/** The node asks an idle service for its proof. */
export function beginProof(world: World, prover: SimulatedProver): void {
  const { settings, disk } = prover.plan;
  prover.askedAt ??= world.now;
  prover.proofSince = world.now;
  prover.pass = 0;
  prover.drawn = 0;
  world.write(prover, SERVICE, 'starting proof generation for challenge 00');
  if (world.away.has(disk)) {
    failProof(world, prover, 'proof generation failed: loading POST metadata');
    return;
  }
  prover.work = 'preparing';
  const light = settings.randomx === 'light' ? LIGHT_MS : world.farm.host.datasetMs;
  prover.datasetMs = settings.remoteK2pow === undefined ? light : REMOTE_MS;
  prover.left = prover.datasetMs;
  world.record.phase(prover.index, world.now, 'preparing');
}

/** What it was at is done: what comes next. */
export function nextStep(world: World, prover: SimulatedProver): void {
  switch (prover.work) {
    case 'preparing':
      if (!diesForMemory(world, prover)) beginPass(world, prover);
      break;
    case 'k2pow':
      endGroup(world, prover);
      break;
    case 'reading':
      endPass(world, prover);
      break;
    case 'verifying':
      endVerification(world, prover);
      break;
    default:
      throw new Error(`${prover.plan.name} is ${prover.work}, which does not end by itself`);
  }
}

function beginPass(world: World, prover: SimulatedProver): void {
  const { start, end } = prover.nonces;
  prover.work = 'k2pow';
  prover.group = 0;
  world.record.phase(prover.index, world.now, 'k2pow');
  world.write(prover, PROVE, `calculating proof of work for nonces ${start}..${end}`);
  beginGroup(world, prover);
}

function beginGroup(world: World, prover: SimulatedProver): void {
  const { settings } = prover.plan;
  prover.left = prover.passDraw.groupHashes[prover.group] ?? 0;
  if (settings.tellsGroups) {
    world.write(prover, PROVE, `calculating proof of work for nonce group ${groupNumber(prover)}`, 'DEBUG');
  }
  if (settings.remoteK2pow !== undefined) queueRemotely(world, prover, settings.remoteK2pow);
}

/** Numbered over all passes. */
function groupNumber({ nonces, group }: SimulatedProver): number {
  return nonces.start / 16 + group;
}

function queueRemotely(world: World, prover: SimulatedProver, address: string): void {
  const worker = world.farm.host.remote.get(address);
  if (worker === undefined) throw new Error(`there is no k2pow-service ${address}`);
  // Each job has a dataset of its own (operators.md d.4).
  prover.left += (worker.datasetMs / 1000) * worker.hashesPerSecond;
  const queue = world.remote.get(address);
  queue?.waiting.push(prover);
  serveNext(world, address);
}

/** Gives the worker its next job, if it has none. */
export function serveNext(world: World, address: string): void {
  const queue = world.remote.get(address);
  if (queue === undefined || queue.serving !== undefined) return;
  queue.serving = queue.waiting.shift();
  world.dirty = true;
}

/** It does not need its worker any more. */
export function leaveWorker(world: World, prover: SimulatedProver): void {
  const address = prover.plan.settings.remoteK2pow;
  const queue = address === undefined ? undefined : world.remote.get(address);
  if (address === undefined || queue === undefined) return;
  const place = queue.waiting.indexOf(prover);
  if (place >= 0) queue.waiting.splice(place, 1);
  if (queue.serving === prover) queue.serving = undefined;
  serveNext(world, address);
}

function endGroup(world: World, prover: SimulatedProver): void {
  const { settings, bytes } = prover.plan;
  if (settings.tellsGroups) {
    world.write(prover, PROVE, `proof of work for nonce group ${groupNumber(prover)}: 17`, 'DEBUG');
  }
  prover.group += 1;
  const isLast = prover.group >= prover.passDraw.groupHashes.length;
  if (!isLast) {
    const address = settings.remoteK2pow;
    const queue = address === undefined ? undefined : world.remote.get(address);
    // Behind those that wait already: everybody in turn.
    if (queue?.serving === prover) queue.serving = undefined;
    beginGroup(world, prover);
    return;
  }
  leaveWorker(world, prover);
  world.write(prover, PROVE, 'finished k2pow in 1m 1s');
  world.write(prover, PROVE, 'started reading POST data');
  prover.work = 'reading';
  prover.readingSince = world.now;
  prover.left = prover.passDraw.fraction * bytes;
  world.record.phase(prover.index, world.now, 'reading');
  if (prover.dataGone) loseData(world, prover);
}

/** Its data are away while it runs: every file ends at once (spacemesh.md §3.2). */
export function loseData(world: World, prover: SimulatedProver): void {
  prover.dataGone = true;
  if (prover.work !== 'reading') return;
  world.write(prover, 'post::reader', 'failed to read file: /data/postdata_0.bin: No such device', 'WARN ');
  prover.left = 0;
  world.dirty = true;
}

function endPass(world: World, prover: SimulatedProver): void {
  const seconds = Math.floor((world.now - prover.readingSince) / 1000);
  world.write(
    prover,
    PROVE,
    `finished reading POST data in ${Math.floor(seconds / 60)}m ${seconds % 60}s, average 180 MB/s`,
  );
  if (!prover.dataGone && prover.finds) {
    if (prover.failsNext) {
      prover.failsNext = false;
      failProof(world, prover, 'proof generation failed: reading from the disk');
      return;
    }
    world.write(prover, PROVE, `found proof for nonce: ${prover.nonces.start + 1}`);
    prover.work = 'found';
    world.record.phase(prover.index, world.now, 'waiting-for-node');
    world.changed();
    nudge(world, prover);
    return;
  }
  if (!prover.dataGone) prover.drawn += 1;
  prover.pass += 1;
  beginPass(world, prover);
}

function failProof(world: World, prover: SimulatedProver, message: string): void {
  prover.work = 'failed';
  world.record.phase(prover.index, world.now);
  prover.failedAt = world.now;
  sayFailed(world, prover, message);
}

/** It gives the same answer to every question, one a layer. */
function sayFailed(world: World, prover: SimulatedProver, message: string): void {
  const { movedAt } = world;
  world.write(prover, SERVICE, message, 'ERROR');
  // Saying so again moves nothing.
  if (prover.failedAt !== world.now) world.movedAt = movedAt;
  world.later(prover, world.farm.node.clock.layer, () => {
    if (prover.work === 'failed' && world.node.up) sayFailed(world, prover, message);
  });
}

/** The node has fetched it: the service checks it first. */
export function beginVerification(world: World, prover: SimulatedProver): void {
  prover.work = 'verifying';
  prover.left = between(world.random, 1000, 2500);
  world.write(prover, CLIENT, 'verifying proof');
}

function endVerification(world: World, prover: SimulatedProver): void {
  prover.work = 'idle';
  world.record.phase(prover.index, world.now);
  if (prover.invalidNext) {
    prover.invalidNext = false;
    world.write(prover, CLIENT, 'failed to generate proof: invalid proof: MSB value for index 7', 'ERROR');
    proofRefused(world, prover);
    return;
  }
  world.write(prover, CLIENT, 'proof is valid');
  proofAccepted(world, prover);
}
