/** The second API (spacemesh.v2alpha1), as far as it concerns smeshing. */
import { status } from '@grpc/grpc-js';
import { parseAddress } from './address.ts';
import { toTimestamp } from './events.ts';
import { applyDelay } from './proposals.ts';
import { accountText, GrpcFault, type Request, type Service, type ServiceContext } from './service-types.ts';

export function nodeServiceV2({ clock, isSynced }: ServiceContext): Service {
  return {
    name: 'spacemesh.v2alpha1.NodeService',
    methods: {
      Status: {
        unary: () => {
          const layer = clock.currentLayer();
          const known = isSynced() ? layer : 0;
          return {
            connectedPeers: 0,
            status: isSynced() ? 'SYNC_STATUS_SYNCED' : 'SYNC_STATUS_SYNCING',
            latestLayer: known,
            appliedLayer: Math.max(0, known - applyDelay),
            processedLayer: known,
            currentLayer: layer,
          };
        },
      },
    },
  };
}

export function networkServiceV2({ config, clock, golden }: ServiceContext): Service {
  return {
    name: 'spacemesh.v2alpha1.NetworkService',
    methods: {
      Info: {
        unary: () => ({
          genesisTime: toTimestamp(clock.genesis),
          layerDuration: toTimestamp(clock.layerDuration),
          genesisId: golden.subarray(0, 20),
          hrp: config.hrp,
          effectiveGenesisLayer: clock.layersPerEpoch * 2 - 1,
          layersPerEpoch: clock.layersPerEpoch,
          labelsPerUnit: config.post.labelsPerUnit,
        }),
      },
    },
  };
}

function page<T>(items: readonly T[], request: Request): readonly T[] {
  const offset = Number(request.offset ?? 0);
  const limit = Number(request.limit ?? 0);
  if (limit > 100) throw new GrpcFault(status.INVALID_ARGUMENT, 'limit is capped at 100');
  if (limit === 0) throw new GrpcFault(status.INVALID_ARGUMENT, 'limit must be set to <= 100');
  return items.slice(offset, offset + limit);
}

export function activationServiceV2({ config, store }: ServiceContext): Service {
  return {
    name: 'spacemesh.v2alpha1.ActivationService',
    methods: {
      List: {
        unary: (request) => {
          const among = (ids: readonly Buffer[] | undefined, id: Buffer) =>
            ids === undefined || ids.length === 0 || ids.some((one) => one.equals(id));
          const found = store
            .atxs('ORDER BY epoch, id')
            .filter((atx) => among(request.id, atx.id) && among(request.smesherId, atx.smesher))
            .filter((atx) => atx.epoch >= (request.startEpoch ?? 0))
            .filter((atx) => !request.endEpoch || atx.epoch <= request.endEpoch)
            .filter((atx) => !request.coinbase || accountText(atx.coinbase, config.hrp) === request.coinbase);
          return {
            activations: page(found, request).map((atx) => ({
              id: atx.id,
              smesherId: atx.smesher,
              publishEpoch: atx.epoch,
              coinbase: accountText(atx.coinbase, config.hrp),
              weight: atx.weight,
              height: atx.tickCount,
              numUnits: atx.numUnits,
            })),
          };
        },
      },
      ActivationsCount: {
        unary: (request) => {
          const wanted = request.epoch;
          const all = wanted === undefined ? store.atxs('') : store.atxs('WHERE epoch = ?', wanted);
          return { count: all.length };
        },
      },
    },
  };
}

/** The filter is read before the limit is looked at. @throws GrpcFault */
function checkAddress(address: string, hrp: string): void {
  try {
    parseAddress(address, hrp);
  } catch (error) {
    throw new GrpcFault(status.INVALID_ARGUMENT, (error as Error).message);
  }
}

export function rewardServiceV2({ config, store }: ServiceContext): Service {
  return {
    name: 'spacemesh.v2alpha1.RewardService',
    methods: {
      List: {
        unary: (request) => {
          if (request.coinbase) checkAddress(request.coinbase, config.hrp);
          const found = store
            .rewards()
            .filter((reward) => reward.layer >= (request.startLayer ?? 0))
            .filter((reward) => !request.endLayer || reward.layer <= request.endLayer)
            .filter((reward) => !request.smesher || reward.smesher.equals(request.smesher))
            .filter(
              (reward) => !request.coinbase || accountText(reward.coinbase, config.hrp) === request.coinbase,
            );
          if (request.sortOrder === 'DESC') found.reverse();
          return {
            rewards: page(found, request).map((reward) => ({
              layer: reward.layer,
              total: reward.total,
              layerReward: reward.layerReward,
              coinbase: accountText(reward.coinbase, config.hrp),
              smesher: reward.smesher,
            })),
          };
        },
      },
    },
  };
}

/** Identities that the network has cancelled, by ID; without a list of IDs all that are known. */
export function malfeasanceServiceV2({ store }: ServiceContext): Service {
  return {
    name: 'spacemesh.v2alpha1.MalfeasanceService',
    methods: {
      List: {
        unary: (request) => {
          const wanted: readonly Buffer[] = request.smesherId ?? [];
          const found = store
            .cancelled()
            .filter((id) => wanted.length === 0 || wanted.some((one) => one.equals(id)));
          return {
            proofs: page(found, request).map((smesher) => ({
              smesher,
              domain: 'DOMAIN_UNSPECIFIED',
              // Two ATXs in one epoch.
              type: 1,
              properties: { malicious_id: smesher.toString('hex') },
            })),
          };
        },
      },
    },
  };
}
