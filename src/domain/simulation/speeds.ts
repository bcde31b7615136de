import type { ProvingSettings } from '../schedule/observation.ts';
import type { SimulatedProver } from './prover.ts';
import type { World } from './world.ts';

/** What several readers of a spinning disk get together, of what one gets (operators.md d.5, assumed). */
const SEEK_PENALTY = 0.6;

/**
 * Computes anew how fast everybody gets on, and tells the recorder what is in use. k2pow on the host shares its hash
 * rate equally among all that are not held, each up to its threads; a disk is shared equally, at a penalty if it
 * spins; whoever is held gets 1 % of a core (deep: 0.1 %), which makes a reader crawl.
 */
export function computeSpeeds(world: World): void {
  const { host, disks } = world.farm;
  const k2pow: SimulatedProver[] = [];
  const readers = new Map<string, SimulatedProver[]>();
  for (const prover of world.provers) {
    const { settings, disk } = prover.plan;
    switch (prover.work) {
      case 'preparing':
      case 'verifying':
        prover.speed = prover.quota;
        break;
      case 'k2pow':
        if (settings.remoteK2pow !== undefined) prover.speed = remoteSpeed(world, prover);
        else if (prover.hold === 'none') k2pow.push(prover);
        else {
          const core = host.hashesPerSecond / 1000 / host.cores;
          prover.speed = core * prover.quota * hashRateOf(settings);
        }
        break;
      case 'reading': {
        const cores = prover.hold === 'none' ? threadsOf(world, prover) : prover.quota;
        prover.speed = Math.min(host.scanBytesPerCore * cores, disks.get(disk)?.bytesPerSecond ?? 0) / 1000;
        if (prover.hold !== 'none') break;
        const others = readers.get(disk);
        if (others === undefined) readers.set(disk, [prover]);
        else others.push(prover);
        break;
      }
      default:
        prover.speed = 0;
    }
  }
  shareHost(world, k2pow);
  for (const [name, group] of readers) {
    if (group.length < 2) continue;
    const disk = disks.get(name);
    const share = ((disk?.bytesPerSecond ?? 0) * (disk?.spinning ? SEEK_PENALTY : 1)) / 1000 / group.length;
    for (const prover of group) prover.speed = Math.min(prover.speed, share);
  }
  tellLoads(world, k2pow, readers);
}

/** Of the rate in fast mode: light mode is about ten times slower (spacemesh.md §3.3). */
export function hashRateOf({ randomx }: Pick<ProvingSettings, 'randomx'>): number {
  return randomx === 'light' ? 0.1 : 1;
}

/** Cores that it uses. */
export function threadsOf(world: World, { plan }: SimulatedProver): number {
  const { cores } = world.farm.host;
  return plan.settings.threads === 0 ? cores : Math.min(plan.settings.threads, cores);
}

function remoteSpeed(world: World, prover: SimulatedProver): number {
  const address = prover.plan.settings.remoteK2pow ?? '';
  const worker = world.farm.host.remote.get(address);
  return world.remote.get(address)?.serving === prover ? (worker?.hashesPerSecond ?? 0) / 1000 : 0;
}

function shareHost(world: World, k2pow: SimulatedProver[]): void {
  const { host } = world.farm;
  let rest = host.hashesPerSecond / 1000;
  // Whoever can take least goes first, and leaves what it cannot take to the others.
  if (k2pow.length > 1) k2pow.sort((a, b) => threadsOf(world, a) - threadsOf(world, b));
  k2pow.forEach((prover, index) => {
    const most = (host.hashesPerSecond / 1000 / host.cores) * threadsOf(world, prover);
    const share = Math.min(most, rest / (k2pow.length - index));
    rest -= share;
    prover.speed = share * hashRateOf(prover.plan.settings);
  });
}

function tellLoads(
  world: World,
  k2pow: readonly SimulatedProver[],
  readers: ReadonlyMap<string, readonly SimulatedProver[]>,
): void {
  const { record, policy, now, provers } = world;
  for (const disk of world.farm.disks.keys()) {
    const group = readers.get(disk) ?? [];
    record.load(now, 'disk', disk, group.length, 1, () => namesOf(group));
  }
  record.load(now, 'k2pow', '', k2pow.length, policy.k2powSlots, () => namesOf(k2pow));
  for (const address of world.remote.keys()) {
    const group = provers.filter(
      ({ work, hold, plan }) => work === 'k2pow' && hold === 'none' && plan.settings.remoteK2pow === address,
    );
    record.load(now, 'remote-k2pow', address, group.length, policy.remoteK2powSlots, () => namesOf(group));
  }
  let memory = 0;
  let proofs = 0;
  let threads = 0;
  let busy = 0;
  for (const prover of provers) {
    if (prover.memoryBytes > 0) proofs += 1;
    memory += prover.memoryBytes;
    if (!isBusy(prover)) continue;
    busy += 1;
    threads += threadsOf(world, prover);
  }
  // More than there is cannot be in use: somebody is about to be killed.
  const inUse = Math.min(memory, world.farm.host.physicalBytes);
  record.peakMemoryBytes = Math.max(record.peakMemoryBytes, inUse);
  // One is always possible, whatever the budget.
  record.load(now, 'memory', '', proofs > 1 ? memory : 0, policy.memoryBytes, () =>
    namesOf(provers.filter((prover) => prover.memoryBytes > 0)),
  );
  if (policy.threads !== undefined) {
    record.load(now, 'threads', '', busy > 1 ? threads : 0, policy.threads, () =>
      namesOf(provers.filter(isBusy)),
    );
  }
}

/** Dataset and verification are one thread each, for a moment; they do not count. */
function isBusy({ work, hold, plan }: SimulatedProver): boolean {
  if (hold !== 'none') return false;
  return work === 'reading' || (work === 'k2pow' && plan.settings.remoteK2pow === undefined);
}

function namesOf(provers: readonly SimulatedProver[]): string[] {
  return provers.map(({ plan }) => plan.name);
}
