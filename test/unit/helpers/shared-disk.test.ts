import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { tempFolder } from '../../helpers/temp.ts';
import { SharedDisk } from '../../sim/post-service/shared-disk.ts';

/* The disk that stand-ins share: what a second reader costs the first. */

function disk(): { readonly folder: string; readonly shared: SharedDisk } {
  const folder = tempFolder('disk');
  vi.stubEnv('SIM_DISK', folder);
  const shared = SharedDisk.ofEnvironment();
  if (shared === undefined) throw new Error('SIM_DISK names it');
  return { folder, shared };
}

afterEach(() => vi.unstubAllEnvs());

it('is no disk without SIM_DISK', () => {
  vi.stubEnv('SIM_DISK', '');
  expect(SharedDisk.ofEnvironment()).toBeUndefined();
});

it('gives one reader all, and two of them less than half each, until one is done or dead', () => {
  const { folder, shared } = disk();
  expect(shared.share()).toBe(1);
  const other = join(folder, 'reader-other');
  writeFileSync(other, '');
  expect(shared.share()).toBeCloseTo(0.3);
  const longAgo = new Date(Date.now() - 5000);
  utimesSync(other, longAgo, longAgo);
  expect(shared.share()).toBe(1);
});

it('leaves no trace of who has left', () => {
  const { folder, shared } = disk();
  shared.share();
  shared.leave();
  writeFileSync(join(folder, 'reader-other'), '');
  shared.leave();
  expect(shared.share()).toBeCloseTo(0.3);
});

it('is slower, or faster, when a test says so', () => {
  const { folder, shared } = disk();
  writeFileSync(join(folder, 'slowness'), '4');
  expect(shared.share()).toBeCloseTo(0.25);
  writeFileSync(join(folder, 'slowness'), '0.5');
  expect(shared.share()).toBe(2);
});
