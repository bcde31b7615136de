import type { DeviceNode } from './facts.ts';
import { cardLabel, chosenCards, finding, type GpuSituation } from './judged.ts';
import type { GpuFinding } from './report.ts';

const READ_WRITE = 0o6;

/** Whether the user of jobs may open a node: by numbers, because a container knows no names of groups. */
export function mayOpen(
  { uid, gid, mode }: DeviceNode,
  { user, groups }: Pick<GpuSituation, 'user' | 'groups'>,
): boolean {
  const allows = (bits: number) => (bits & READ_WRITE) === READ_WRITE;
  // Root without capabilities has no more than its owner's and its groups' rights.
  if (uid === user.uid) return allows(mode >> 6);
  if (gid === user.gid || groups.includes(gid)) return allows(mode >> 3);
  return allows(mode);
}

/** `993` of `render:x:993:alice`. */
function groupName(groups: string, gid: number): string | undefined {
  for (const line of groups.split('\n')) {
    const [name, , id] = line.split(':');
    if (Number(id) === gid && id !== '') return name;
  }
  return undefined;
}

/** Nodes of AMD and Intel cards that are missing, or that jobs may not open. */
export function nodeFindings(situation: GpuSituation): readonly GpuFinding[] {
  const cards = [...chosenCards(situation, 'amd'), ...chosenCards(situation, 'intel')];
  const bound = cards.filter(({ pci }) => pci?.kernelDriver !== undefined && pci.kernelDriver !== 'vfio-pci');
  const { nodes } = situation.facts;
  const without = bound
    .filter(({ device }) => device === undefined || !nodes.some(({ path }) => path === device))
    .map((card) =>
      finding(
        'error',
        'render-node-missing',
        `${cardLabel(card)} has no render node (/dev/dri/renderD…): it cannot be handed to a container`,
        'In a virtual machine or container: hand /dev/dri in. Else: sudo dmesg | grep -iE "amdgpu|i915|xe"',
      ),
    );
  const amd = bound.some(({ vendor }) => vendor === 'amd');
  const used = nodes.filter(
    ({ path }) => bound.some(({ device }) => device === path) || (amd && path === '/dev/kfd'),
  );
  const closed = used.filter((node) => !mayOpen(node, situation));
  return [...without, ...closedFindings(situation, closed)];
}

function closedFindings(situation: GpuSituation, closed: readonly DeviceNode[]): readonly GpuFinding[] {
  const { facts, user, groups } = situation;
  // One cure opens all nodes of one group.
  return [...new Set(closed.map(({ gid }) => gid))].map((gid) => {
    const mine = closed.filter((node) => node.gid === gid);
    const paths = mine.map(({ path }) => path).join(', ');
    const who = `Jobs run as ${user.uid}:${user.gid}${groups.length === 0 ? '' : ` with the groups ${groups.join(', ')}`}`;
    const name = groupName(facts.groups, gid);
    if (mine.some(({ mode }) => ((mode >> 3) & READ_WRITE) !== READ_WRITE)) {
      return finding(
        'error',
        'node-closed',
        `${who} and may not open ${paths}: its group may not read and write there`,
        `A udev rule gives it: SUBSYSTEM=="drm", KERNEL=="renderD*", GROUP="render", MODE="0660"`,
      );
    }
    if (name === undefined) {
      return finding(
        'error',
        'render-group-missing',
        `${who} and may not open ${paths}: that belongs to group ${gid}, which has no name in /etc/group, so nobody gives it to jobs`,
        `sudo groupadd --system --gid ${gid} render   then: smesh-compose generate`,
      );
    }
    return finding(
      'error',
      'render-group-other',
      `${who} and may not open ${paths}: that belongs to group ${name} (${gid}), and jobs get only render and video`,
      'Give the node to render by a udev rule: SUBSYSTEM=="drm", KERNEL=="renderD*", GROUP="render", MODE="0660"',
    );
  });
}
