import { expect, it } from 'vitest';
import { holdDisks } from '../../../src/domain/post-init/gap-hold.ts';

const diskOf = new Map([
  ['a', 'sda'],
  ['b', 'sda'],
  ['c', 'sdb'],
  ['d', 'sdc'],
]);

it('holds disks of those who have yet to prove, with how long, and of those who prove', () => {
  const holds = holdDisks({
    waiting: ['a', 'b'],
    until: Date.UTC(2026, 10, 28, 8),
    proving: ['b', 'c'],
    diskOf,
  });
  expect([...holds.keys()]).toEqual(['sda', 'sdb']);
  expect(holds.get('sda')?.why).toBe(
    'waits: a and b on sda have yet to prove in this gap, until 2026-11-28 08:00 UTC at the latest',
  );
  expect(holds.get('sdb')).toEqual({ why: 'waits: c on sdb is proving' });
});

it('holds nothing outside the gap, nor for somebody whose disk is not known', () => {
  expect(holdDisks({ waiting: [], proving: [], diskOf }).size).toBe(0);
  expect(holdDisks({ waiting: ['x'], until: 7, proving: ['y'], diskOf }).size).toBe(0);
});
