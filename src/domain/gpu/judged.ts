import type { GpuVendor } from '../project/types.ts';
import type { DetectedGpu } from './detect.ts';
import type { GpuFacts } from './facts.ts';
import type { InsideFacts } from './inside.ts';
import type { JoinedCard } from './join.ts';
import type { CardVendor, GpuFinding, InsideLook } from './report.ts';

/** What is judged of the engine. */
export interface EngineOfCards {
  readonly endpoint: string;
  readonly rootless: boolean;
  readonly desktop: boolean;
  readonly dataRoot: string;
  readonly securityOptions: readonly string[];
  readonly runtimes: readonly string[];
}

/** A look inside with what was found beside postcli's answer. */
export interface VendorLook {
  readonly vendor: GpuVendor;
  readonly look: InsideLook;
  readonly inside?: InsideFacts;
  /** The image is made on this machine, and is not yet. */
  readonly isBuilt: boolean;
}

/** Everything that findings are made of. */
export interface GpuSituation {
  readonly facts: GpuFacts;
  readonly cards: readonly DetectedGpu[];
  /** Of smesh.yaml: `init.gpu`; without a project those that were found. */
  readonly wanted: readonly GpuVendor[];
  /** Who says which vendor's cards jobs use. */
  readonly saidBy: 'init.gpu' | '--gpu';
  /** `init.devices` and the `device` of jobs; empty: all. */
  readonly devices: readonly string[];
  /** What jobs run as, and the gids they have beside. */
  readonly user: { readonly uid: number; readonly gid: number };
  readonly groups: readonly number[];
  readonly hasProject: boolean;
  /** Absent: could not be asked. */
  readonly engine?: EngineOfCards;
  readonly looks: readonly VendorLook[];
  readonly joined: readonly JoinedCard[];
}

/** Whether containers run on another machine than the one that was looked at. */
export function isElsewhere(engine: EngineOfCards | undefined): boolean {
  return engine !== undefined && (engine.desktop || !engine.endpoint.startsWith('unix:'));
}

/** Whether a name of `init.devices` is this card. */
export function isNamed({ device, uuid }: DetectedGpu, name: string): boolean {
  return device === name || uuid === name;
}

/** Whether jobs are to use it. */
export function isChosen(
  card: DetectedGpu,
  { wanted, devices }: Pick<GpuSituation, 'wanted' | 'devices'>,
): boolean {
  return (
    wanted.includes(card.vendor) && (devices.length === 0 || devices.some((name) => isNamed(card, name)))
  );
}

/** Cards of a vendor that jobs are to use. */
export function chosenCards(situation: GpuSituation, vendor: CardVendor): readonly DetectedGpu[] {
  return situation.cards.filter((card) => card.vendor === vendor && isChosen(card, situation));
}

/** The card by a name that tells it from its twins. */
export function cardLabel({ name, device, pci }: DetectedGpu): string {
  const place = device ?? pci?.address;
  return place === undefined ? name : `${name} (${place})`;
}

export function finding(
  severity: GpuFinding['severity'],
  code: string,
  message: string,
  hint?: string,
): GpuFinding {
  return { code, severity, message, ...(hint === undefined ? {} : { hint }) };
}
