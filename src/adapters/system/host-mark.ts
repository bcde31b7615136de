import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { digestOf } from '../../domain/digest.ts';
import type { HostMark } from '../../domain/identity/lease.ts';

/** Dynamic addresses of Hyper-V: under WSL another one after each start of Windows. */
const HYPER_V = '00:15:5d:';

/**
 * See SystemPort.host. Nothing in it leads back to the machine: machine-id(5) asks that it not be shown. Where there is
 * none (containers, some small systems) the host name has to do.
 *
 * @param root where `/etc` and `/sys` are, for tests
 */
export async function readHostMark(root = '', name = hostname()): Promise<HostMark> {
  const machine =
    (await readMachineId(`${root}/etc/machine-id`)) ??
    (await readMachineId(`${root}/var/lib/dbus/machine-id`)) ??
    `name ${name}`;
  const id = mark(`host ${machine}`);
  const cards = (await readCards(`${root}/sys/class/net`)).map((address) =>
    mark(`card ${machine} ${address}`),
  );
  return { id, name, cards: [...new Set(cards)].sort() };
}

function mark(text: string): string {
  return digestOf(`smesh-compose ${text}`).slice(0, 32);
}

async function readMachineId(path: string): Promise<string | undefined> {
  const text = (await readFile(path, 'utf8').catch(() => '')).trim();
  return /^[0-9a-f]{32}$/.test(text) && !/^0+$/.test(text) ? text : undefined;
}

/** Bridges, tunnels and the ends of containers' cables have no device behind them. */
async function readCards(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const addresses = await Promise.all(
    names.map(async (name) => {
      const isReal = await readdir(`${folder}/${name}/device`).then(
        () => true,
        () => false,
      );
      if (!isReal) return [];
      const address = (await readFile(`${folder}/${name}/address`, 'utf8').catch(() => '')).trim();
      return address === '' || /^[0:]+$/.test(address) || address.startsWith(HYPER_V) ? [] : [address];
    }),
  );
  return addresses.flat();
}
