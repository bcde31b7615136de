import { expect, it } from 'vitest';
import { requireProject } from '../../../src/domain/project/parse.ts';
import { schedulePolicy } from '../../../src/domain/schedule/default-policy.ts';
import { NO_HISTORY, withDiskRate, withK2powRate } from '../../../src/domain/schedule/history.ts';
import { PROOF_MEMORY } from '../../../src/domain/schedule/policy.ts';
import { EXAMPLE_PROJECTS } from '../../fixtures/example-projects.ts';

const GIB = 2 ** 30;
const HOST = { cores: 16, memoryBytes: 64 * GIB, cpuQuotas: true };

function project(text: string) {
  return requireProject(text, { directory: '/srv/smesh' }).project;
}

const mainnet = EXAMPLE_PROJECTS['mainnet'] ?? '';

it('follows from the machine', () => {
  const policy = schedulePolicy(project(mainnet), HOST, NO_HISTORY);
  expect(policy).toMatchObject({
    ...{ k2powSlots: 1, remoteK2powSlots: 1, cores: 16, memoryBytes: 60 * GIB },
    ...{ canHold: true, worksAhead: true, lookEveryMs: 15_000 },
  });
  expect(policy.threads).toBeUndefined();
  expect(policy.rates).toMatchObject({ hashesPerSecond: 8000, defaultBytesPerSecond: 180e6 });
  expect(policy.rates.hashesPerUnitGroup).toBeCloseTo(4687.5, 1);
});

it('S25: 16 GiB are for five fast proofs at a time, also where ten services run', () => {
  const { memoryBytes } = schedulePolicy(project(mainnet), { ...HOST, memoryBytes: 16 * GIB }, NO_HISTORY);
  expect(Math.floor(memoryBytes / PROOF_MEMORY.fast)).toBe(5);
});

it('leaves room for one proof on the smallest host', () => {
  const policy = schedulePolicy(project(mainnet), { ...HOST, memoryBytes: 2 * GIB }, NO_HISTORY);
  expect(policy.memoryBytes).toBe(PROOF_MEMORY.fast);
});

it.each([
  ['defaults: {threads: 4}\n', 4],
  ['defaults: {threads: 12}\n', 1],
  ['defaults: {threads: 40}\n', 1],
  ['defaults: {threads: 0}\n', 1],
  ['defaults: {pinnedCores: [0, 1]}\n', 8],
  ['schedule: {k2pow: 3}\n', 3],
])('as many k2pow at a time as fill the cores: %s %i', (more, slots) => {
  expect(schedulePolicy(project(`${mainnet}${more}`), HOST, NO_HISTORY).k2powSlots).toBe(slots);
});

it('goes by smesh.yaml before history, and by history before defaults', () => {
  let history = withDiskRate(withDiskRate(NO_HISTORY, 'sda', 150e6, 1), 'sdb', 90e6, 1);
  history = withK2powRate(history, 2600, 1);
  const measured = schedulePolicy(project(mainnet), HOST, history);
  expect(measured.rates.hashesPerSecond).toBe(2600);
  const written = schedulePolicy(
    project(
      `${mainnet}schedule: {memory: 12g, threads: 8, remoteK2pow: 4, every: 1m, ahead: false, rates: {k2pow: 4000, disks: {sda: 200MB/s}}}\n`,
    ),
    HOST,
    history,
  );
  expect(written).toMatchObject({
    ...{ memoryBytes: 12 * GIB, threads: 8, remoteK2powSlots: 4, lookEveryMs: 60_000 },
    ...{ canHold: true, worksAhead: false },
  });
  expect(written.rates.hashesPerSecond).toBe(4000);
  expect([...written.rates.diskBytesPerSecond]).toEqual([
    ['sda', 200e6],
    ['sdb', 90e6],
  ]);
});

it('works nobody ahead where the engine cannot hold', () => {
  const policy = schedulePolicy(project(mainnet), { ...HOST, cpuQuotas: false }, NO_HISTORY);
  expect(policy).toMatchObject({ canHold: false, worksAhead: false });
});
