import { engineFindings } from './engine-findings.ts';
import { failureFindings } from './failure-findings.ts';
import { insideFindings } from './inside-findings.ts';
import { finding, type GpuSituation, isElsewhere, isNamed } from './judged.ts';
import { kernelFindings } from './kernel-findings.ts';
import { nodeFindings } from './node-findings.ts';
import type { GpuFinding } from './report.ts';
import { VENDOR_WORDS } from './vendor.ts';

const SEVERITIES: readonly GpuFinding['severity'][] = ['error', 'warning', 'note'];

/**
 * What keeps cards from being used, or will: worst first, each wrong set-up by a code of its own. What concerns other
 * vendors than the project's is left out.
 */
export function explainCards(situation: GpuSituation): readonly GpuFinding[] {
  // What ails the cards of this host says nothing about those where containers run.
  const ofHost = isElsewhere(situation.engine)
    ? []
    : [...deviceFindings(situation), ...kernelFindings(situation), ...nodeFindings(situation)];
  const all = [
    ...ofHost,
    ...engineFindings(situation),
    ...generalFindings(situation),
    ...situation.looks.flatMap((look) => [...failureFindings(look), ...insideFindings(situation, look)]),
  ];
  const codes = new Set(all.map(({ code }) => code));
  const told = all.filter(({ code }) => !(FOLLOWS_FROM[code] ?? []).some((cause) => codes.has(cause)));
  const unique = new Map(told.map((one) => [`${one.code} ${one.message}`, one]));
  return SEVERITIES.flatMap((severity) => [...unique.values()].filter((one) => one.severity === severity));
}

const DRIVER_IS_DOWN = ['nvidia-mismatch', 'nvidia-no-driver', 'nvidia-silent', 'nvidia-smi-failed'];
const NODES_ARE_CLOSED = ['node-closed', 'render-group-missing', 'render-group-other'];
const NODES_ARE_AWAY = ['kfd-missing', 'render-node-missing'];
const CARDS_ARE_ELSEWHERE = ['engine-desktop', 'engine-remote'];

/** What a container suffers from where the host has told the cause already. */
const FOLLOWS_FROM: Readonly<Record<string, readonly string[]>> = {
  'toolkit-mismatch': ['nvidia-mismatch'],
  'toolkit-no-driver': ['nvidia-no-driver'],
  'kfd-not-handed': ['kfd-missing'],
  'device-unknown': ['device-missing'],
  'node-not-handed': ['device-missing', 'render-node-missing'],
  'no-icd': [...DRIVER_IS_DOWN, ...CARDS_ARE_ELSEWHERE],
  'no-compute': [...DRIVER_IS_DOWN, ...CARDS_ARE_ELSEWHERE],
  'no-runtime': CARDS_ARE_ELSEWHERE,
  'closed-inside': [...NODES_ARE_CLOSED, ...CARDS_ARE_ELSEWHERE],
  'no-node-inside': [...DRIVER_IS_DOWN, ...NODES_ARE_AWAY, ...CARDS_ARE_ELSEWHERE],
  'not-offered': [
    ...DRIVER_IS_DOWN,
    'nvidia-lost',
    ...NODES_ARE_CLOSED,
    ...NODES_ARE_AWAY,
    'kfd-passed-over',
    ...CARDS_ARE_ELSEWHERE,
  ],
};

/** `init.devices` names what is not there: such a job would not start. */
function deviceFindings({ cards, devices, wanted }: GpuSituation): readonly GpuFinding[] {
  const mine = cards.filter(({ vendor }) => wanted.includes(vendor));
  const there = mine.flatMap(({ device }) => (device === undefined ? [] : [device]));
  return devices
    .filter((name) => !mine.some((card) => isNamed(card, name)))
    .map((name) =>
      finding(
        'error',
        'device-missing',
        `smesh.yaml names the card ${name}, which is not in this host${there.length === 0 ? '' : `; there are ${there.join(', ')}`}`,
        'Is the card dead? Else correct init.devices or the device of the job in smesh.yaml',
      ),
    );
}

function generalFindings({ cards, wanted, saidBy, hasProject, engine }: GpuSituation): readonly GpuFinding[] {
  const vendors = [...new Set(cards.map(({ vendor }) => vendor))];
  const source = saidBy === 'init.gpu' ? 'init.gpu of smesh.yaml' : saidBy;
  const lacking = wanted.find((vendor) => vendor !== 'cpu' && !vendors.includes(vendor));
  if (lacking !== undefined && lacking !== 'cpu') {
    return [
      finding(
        isElsewhere(engine) ? 'note' : 'error',
        'no-card-of-vendor',
        `${source} is ${lacking}, and this host has no card of ${VENDOR_WORDS[lacking]}${vendors.length === 0 ? '' : `, but of ${vendors.map((vendor) => VENDOR_WORDS[vendor]).join(' and ')}`}`,
        `lspci -nn | grep -iE "vga|3d|display"   tells what the bus has; then correct ${saidBy}`,
      ),
    ];
  }
  if (vendors.length === 0) {
    return [
      finding(
        'note',
        'no-card',
        'This host has no graphics card of NVIDIA, AMD or Intel. The processor makes labels, too, but a unit of 64 GiB takes it weeks',
        'Make the data on a machine with a card and bring it here   For a test: smesh-compose post init --gpu cpu --cpu',
      ),
    ];
  }
  const others = vendors.filter((vendor) => !wanted.includes(vendor));
  if (others.length > 0) {
    return [
      finding(
        'note',
        'other-vendor',
        `Cards of ${others.map((vendor) => VENDOR_WORDS[vendor]).join(' and ')} are here, too: ${source} names one vendor, and jobs use that one's`,
      ),
    ];
  }
  if (vendors.length > 1 && !hasProject) {
    return [
      finding(
        'note',
        'two-vendors',
        `Cards of ${vendors.map((vendor) => VENDOR_WORDS[vendor]).join(' and ')} are here: the jobs of a project use those of one vendor (init.gpu)`,
      ),
    ];
  }
  return [];
}
