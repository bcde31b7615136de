import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHostMark } from '../../../src/adapters/system/host-mark.ts';
import { tempFolder } from '../../helpers/temp.ts';

const MACHINE = '0123456789abcdef0123456789abcdef';

function machine(cards: Record<string, { address: string; real: boolean }>, id: string | null = MACHINE) {
  const root = tempFolder('host-mark');
  mkdirSync(join(root, 'etc'));
  mkdirSync(join(root, 'device'));
  if (id !== null) writeFileSync(join(root, 'etc/machine-id'), `${id}\n`);
  for (const [name, { address, real }] of Object.entries(cards)) {
    const folder = join(root, 'sys/class/net', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'address'), `${address}\n`);
    if (real) symlinkSync(join(root, 'device'), join(folder, 'device'));
  }
  return root;
}

const eth0 = { address: '52:54:00:12:34:56', real: true };

describe('readHostMark', () => {
  it('is the same each time, and shows nothing of what it was made from', async () => {
    const root = machine({ eth0 });
    const mark = await readHostMark(root, 'atlas');
    expect(await readHostMark(root, 'renamed')).toMatchObject({ id: mark.id, cards: mark.cards });
    expect(mark.name).toBe('atlas');
    expect(mark.cards).toHaveLength(1);
    expect(JSON.stringify(mark)).not.toMatch(new RegExp(`${MACHINE}|52:54|525400`));
  });

  it('takes real network cards only: those of containers and tunnels come and go', async () => {
    const root = machine({
      eth0,
      veth1: { address: '02:42:ac:11:00:02', real: false },
      lo: { address: '00:00:00:00:00:00', real: true },
      // Under WSL another one after each start.
      eth1: { address: '00:15:5d:aa:bb:cc', real: true },
    });
    const alone = machine({ eth0 });
    expect((await readHostMark(root, 'a')).cards).toEqual((await readHostMark(alone, 'a')).cards);
  });

  it('S23: tells a cloned machine by its cards, and another machine by its ID', async () => {
    const original = await readHostMark(machine({ eth0 }), 'a');
    const clone = await readHostMark(machine({ eth0: { ...eth0, address: '52:54:00:99:99:99' } }), 'a');
    const other = await readHostMark(machine({ eth0 }, 'f'.repeat(32)), 'a');
    expect(clone.id).toBe(original.id);
    expect(clone.cards).not.toEqual(original.cards);
    expect(other.id).not.toBe(original.id);
  });

  it('goes by the host name where there is no machine ID, or none yet', async () => {
    const none = machine({}, null);
    const unset = machine({}, 'uninitialized');
    const [one, same, two] = await Promise.all([
      readHostMark(none, 'atlas'),
      readHostMark(unset, 'atlas'),
      readHostMark(none, 'borg'),
    ]);
    expect(same.id).toBe(one.id);
    expect(two.id).not.toBe(one.id);
  });

  it('reads this machine', async () => {
    const text = (() => {
      try {
        return readFileSync('/etc/machine-id', 'utf8').trim();
      } catch {
        return 'no machine ID here';
      }
    })();
    const mark = await readHostMark();
    expect(mark.id).toMatch(/^[0-9a-f]{32}$/);
    expect(mark.id).not.toBe(text);
  });
});
