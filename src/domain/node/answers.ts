import type { SmesherId } from '../identity/smesher-id.ts';
import { type Parsed, parseAnswer } from './reader.ts';

/** NodeService.Status (spacemesh.md §5.5). */
export interface NodeStatus {
  readonly peers: number;
  readonly synced: boolean;
  readonly syncedLayer: number;
  readonly topLayer: number;
  readonly verifiedLayer: number;
}

/** v2alpha1 NetworkService.Info (spacemesh.md §5.6). */
export interface NetworkInfo {
  /** Milliseconds since 1970. */
  readonly genesisTime: number;
  readonly layerSeconds: number;
  readonly layersPerEpoch: number;
  readonly effectiveGenesisLayer: number;
  readonly hrp: string;
  readonly genesisId: string;
  readonly labelsPerUnit: number;
}

/** One line of PostInfoService.PostStates: what the node wants of an identity (spacemesh.md §5.1). */
export interface PostState {
  readonly smesher: SmesherId;
  /** `idle` says nothing for a while after each start of the node (spacemesh.md §14.2). */
  readonly state: 'idle' | 'proving';
  /** File name of its key. */
  readonly keyFile: string;
}

/** A published ATX (spacemesh.md §5.6). */
export interface PublishedAtx {
  readonly atx: string;
  readonly smesher: SmesherId;
  readonly publishEpoch: number;
  readonly coinbase: string;
  readonly units: number;
}

/** A published ATX with what it weighs: units times the ticks of its PoET proof (spacemesh.md §5.6). */
export interface WeighedAtx extends PublishedAtx {
  readonly weight: bigint;
}

/** What an identity was paid for one layer, amounts in smidge (spacemesh.md §5.6). */
export interface Reward {
  readonly smesher: SmesherId;
  readonly layer: number;
  readonly total: bigint;
  /** bech32; the coinbase that the ATX named, whatever is configured now. */
  readonly coinbase: string;
}

/** The network's proof that an identity was active twice: it is cancelled for ever (spacemesh.md §5.6, §9.1). */
export interface MalfeasanceProof {
  readonly smesher: SmesherId;
  /** Of the node's own numbering: 1 two ATXs, 2 two ballots, 3 two Hare messages, 4 an invalid PoST, 5 a wrong predecessor. */
  readonly type: number;
}

/** A message that protobuf left out counts as all zero: layer 0 is sent as an empty LayerNumber or not at all. */
function layerOf(reader: Parameters<Parameters<typeof parseAnswer>[1]>[0]): number {
  return reader.present ? reader.field('number').count() : 0;
}

export function parseNodeStatus(answer: unknown): Parsed<NodeStatus> {
  return parseAnswer(answer, (response) => {
    const status = response.field('status');
    return {
      peers: status.field('connectedPeers').count(),
      synced: status.field('isSynced').flag(),
      syncedLayer: layerOf(status.field('syncedLayer')),
      topLayer: layerOf(status.field('topLayer')),
      verifiedLayer: layerOf(status.field('verifiedLayer')),
    };
  });
}

export function parseVersion(answer: unknown): Parsed<string> {
  return parseAnswer(answer, (response) => response.field('versionString').field('value').text());
}

export function parseNetworkInfo(answer: unknown): Parsed<NetworkInfo> {
  const parsed = parseAnswer(answer, (info) => ({
    genesisTime: info.field('genesisTime').time(),
    layerSeconds: info.field('layerDuration').duration() / 1000,
    layersPerEpoch: info.field('layersPerEpoch').count(),
    effectiveGenesisLayer: info.field('effectiveGenesisLayer').count(),
    hrp: info.field('hrp').text(),
    genesisId: info.field('genesisId').hex(),
    labelsPerUnit: info.field('labelsPerUnit').count(),
  }));
  // All epoch arithmetic divides by these.
  if (parsed.ok && (parsed.value.layerSeconds <= 0 || parsed.value.layersPerEpoch <= 0)) {
    return { ok: false, reason: 'layers or epochs of no length' };
  }
  return parsed;
}

export function parseCurrentLayer(answer: unknown): Parsed<number> {
  return parseAnswer(answer, (response) => layerOf(response.field('layernum')));
}

export function parseCurrentEpoch(answer: unknown): Parsed<number> {
  return parseAnswer(answer, (response) => layerOf(response.field('epochnum')));
}

export function parsePostStates(answer: unknown): Parsed<readonly PostState[]> {
  return parseAnswer(answer, (response) =>
    response
      .field('states')
      .list()
      .map((state) => ({
        smesher: state.field('id').smesherId(),
        state: state.field('state').oneOf(['IDLE', 'PROVING']) === 'IDLE' ? 'idle' : 'proving',
        keyFile: state.field('name').text(),
      })),
  );
}

export function parseSmesherIds(answer: unknown): Parsed<readonly SmesherId[]> {
  return parseAnswer(answer, (response) =>
    response
      .field('publicKeys')
      .list()
      .map((key) => key.smesherId()),
  );
}

export function parseCoinbase(answer: unknown): Parsed<string> {
  return parseAnswer(answer, (response) => response.field('accountId').field('address').text());
}

export function parseActivations(answer: unknown): Parsed<readonly WeighedAtx[]> {
  return parseAnswer(answer, (response) =>
    response
      .field('activations')
      .list()
      .map((atx) => ({
        atx: atx.field('id').hash(),
        smesher: atx.field('smesherId').smesherId(),
        publishEpoch: atx.field('publishEpoch').count(),
        coinbase: atx.field('coinbase').text(),
        units: atx.field('numUnits').count(),
        weight: atx.field('weight').bigCount(),
      })),
  );
}

/** v1 ActivationService.Highest: the golden ATX where none is known yet (spacemesh.md §5.5). 64 hex digits. */
export function parseHighestAtx(answer: unknown): Parsed<string> {
  return parseAnswer(answer, (response) => response.field('atx').field('id').field('id').hash());
}

export function parseRewards(answer: unknown): Parsed<readonly Reward[]> {
  return parseAnswer(answer, (response) =>
    response
      .field('rewards')
      .list()
      .map((reward) => ({
        smesher: reward.field('smesher').smesherId(),
        layer: reward.field('layer').count(),
        total: reward.field('total').bigCount(),
        coinbase: reward.field('coinbase').text(),
      })),
  );
}

export function parseMalfeasance(answer: unknown): Parsed<readonly MalfeasanceProof[]> {
  return parseAnswer(answer, (response) =>
    response
      .field('proofs')
      .list()
      .map((proof) => ({
        smesher: proof.field('smesher').smesherId(),
        type: proof.field('type').count(),
      })),
  );
}
