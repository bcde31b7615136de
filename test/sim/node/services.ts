/** The node's gRPC services, each a table of methods; which listener serves which is said by the config. */
import { status } from '@grpc/grpc-js';
import { parseAddress } from './address.ts';
import type { Atx } from './atx-store.ts';
import { applyDelay } from './proposals.ts';
import { accountText, GrpcFault, type Service, type ServiceContext } from './service-types.ts';
import {
  activationServiceV2,
  malfeasanceServiceV2,
  networkServiceV2,
  nodeServiceV2,
  rewardServiceV2,
} from './services-v2.ts';

/** Names that the real node knows and this one answers with Unimplemented. */
export const unservedNames: readonly string[] = [
  ...['debug', 'global', 'transaction', 'activation_stream_v2alpha1', 'reward_stream_v2alpha1'],
  ...['layer_v2alpha1', 'layer_stream_v2alpha1', 'transaction_v2alpha1', 'transaction_stream_v2alpha1'],
  ...['account_v2alpha1', 'malfeasance_stream_v2alpha1'],
];

/** All services by the name that the config's lists use. */
export function makeServices(context: ServiceContext): ReadonlyMap<string, Service> {
  return new Map<string, Service>([
    ['node', nodeService(context)],
    ['mesh', meshService(context)],
    ['activation', activationService(context)],
    ['smesher', smesherService(context)],
    ['admin', adminService(context)],
    ['post', postService(context)],
    ['postInfo', postInfoService(context)],
    ['node_v2alpha1', nodeServiceV2(context)],
    ['network_v2alpha1', networkServiceV2(context)],
    ['activation_v2alpha1', activationServiceV2(context)],
    ['reward_v2alpha1', rewardServiceV2(context)],
    ['malfeasance_v2alpha1', malfeasanceServiceV2(context)],
  ]);
}

function nodeService({ version, config, clock, isSynced }: ServiceContext): Service {
  return {
    name: 'spacemesh.v1.NodeService',
    methods: {
      Echo: {
        unary: (request) => {
          if (request.msg === undefined || request.msg === null) {
            throw new GrpcFault(status.INVALID_ARGUMENT, 'Must include `Msg`');
          }
          return { msg: request.msg };
        },
      },
      Version: { unary: () => ({ versionString: { value: version } }) },
      Build: { unary: () => ({ buildString: { value: '158fac3abb' } }) },
      Status: {
        unary: () => {
          const top = clock.currentLayer();
          const known = isSynced() ? top : 0;
          return {
            status: {
              connectedPeers: 0,
              isSynced: isSynced(),
              syncedLayer: { number: known },
              topLayer: { number: top },
              verifiedLayer: { number: Math.max(0, known - applyDelay) },
            },
          };
        },
      },
      NodeInfo: {
        unary: () => ({
          hrp: config.hrp,
          firstGenesis: 0,
          effectiveGenesis: clock.layersPerEpoch * 2 - 1,
          epochSize: clock.layersPerEpoch,
        }),
      },
    },
  };
}

function meshService({ clock, golden }: ServiceContext): Service {
  return {
    name: 'spacemesh.v1.MeshService',
    methods: {
      GenesisTime: { unary: () => ({ unixtime: { value: Math.floor(clock.genesis / 1000) } }) },
      CurrentLayer: { unary: () => ({ layernum: { number: clock.currentLayer() } }) },
      CurrentEpoch: { unary: () => ({ epochnum: { number: clock.currentEpoch() } }) },
      GenesisID: { unary: () => ({ genesisId: golden.subarray(0, 20) }) },
      EpochNumLayers: { unary: () => ({ numlayers: { number: clock.layersPerEpoch } }) },
      LayerDuration: { unary: () => ({ duration: { value: Math.floor(clock.layerDuration / 1000) } }) },
      MalfeasanceQuery: {
        unary: () => {
          throw new GrpcFault(status.NOT_FOUND, 'malfeasance proof not found');
        },
      },
    },
  };
}

function activationService({ config, clock, store, golden }: ServiceContext): Service {
  const describe = (atx: Atx) => ({
    id: { id: atx.id },
    layer: { number: atx.epoch * clock.layersPerEpoch },
    smesherId: { id: atx.smesher },
    coinbase: { address: accountText(atx.coinbase, config.hrp) },
    numUnits: atx.numUnits,
    sequence: atx.sequence,
  });
  return {
    name: 'spacemesh.v1.ActivationService',
    methods: {
      Get: {
        unary: (request) => {
          if ((request.id?.length ?? 0) !== 32) {
            throw new GrpcFault(
              status.INVALID_ARGUMENT,
              `invalid ATX ID length (${request.id?.length ?? 0}), expected (32)`,
            );
          }
          const [atx] = store.atxs('WHERE id = ?', request.id);
          if (atx === undefined) throw new GrpcFault(status.NOT_FOUND, 'id was not found');
          return { atx: describe(atx) };
        },
      },
      Highest: {
        unary: () => {
          const [atx] = store.atxs('ORDER BY epoch DESC, received LIMIT 1');
          return { atx: atx === undefined ? { id: { id: golden } } : describe(atx) };
        },
      },
    },
  };
}

function smesherService({ config, states, remote, stopSmeshing }: ServiceContext): Service {
  const notSupervised = () => {
    throw new GrpcFault(status.FAILED_PRECONDITION, 'node is not configured for supervised smeshing');
  };
  const unimplemented = (message: string) => () => {
    throw new GrpcFault(status.UNIMPLEMENTED, message);
  };
  let coinbase = config.coinbase;
  return {
    name: 'spacemesh.v1.SmesherService',
    methods: {
      SmesherIDs: { unary: () => ({ publicKeys: states.all().map(({ identity }) => identity.id) }) },
      SmesherID: { unary: unimplemented('this endpoint has been deprecated, use `SmesherIDs` instead') },
      IsSmeshing: { unary: () => (remote ? notSupervised() : { isSmeshing: false }) },
      StartSmeshing: { unary: notSupervised },
      StopSmeshing: {
        unary: (request) => {
          stopSmeshing(request.deleteFiles === true);
          return { status: { code: 0 } };
        },
      },
      Coinbase: { unary: () => ({ accountId: { address: coinbase } }) },
      SetCoinbase: {
        unary: (request) => {
          if (request.id === undefined || request.id === null) {
            throw new GrpcFault(status.INVALID_ARGUMENT, '`Id` must be provided');
          }
          try {
            parseAddress(request.id.address ?? '', config.hrp);
          } catch (error) {
            throw new GrpcFault(
              status.INTERNAL,
              `failed to parse in.Id.Address: ${(error as Error).message}`,
            );
          }
          coinbase = request.id.address;
          return { status: { code: 0 } };
        },
      },
      PostSetupStatus: { unary: () => ({ status: { state: 'STATE_NOT_STARTED' } }) },
      PostSetupProviders: { unary: () => ({ providers: [] }) },
      PostConfig: {
        unary: () => ({
          bitsPerLabel: 128,
          labelsPerUnit: config.post.labelsPerUnit,
          minNumUnits: config.post.minNumUnits,
          maxNumUnits: config.post.maxNumUnits,
          k1: config.post.k1,
          k2: config.post.k2,
        }),
      },
    },
  };
}

function adminService({ events }: ServiceContext): Service {
  return {
    name: 'spacemesh.v1.AdminService',
    methods: {
      EventsStream: {
        stream: (_request, stream) => stream.onClose(events.subscribe((event) => stream.send(event))),
      },
      PeerInfoStream: { stream: (_request, stream) => stream.end() },
    },
  };
}

function postService({ config, connections }: ServiceContext): Service {
  const refusal = 'connection not allowed: node has no coinbase set in config';
  return {
    name: 'spacemesh.v1.PostService',
    methods: {
      Register: {
        duplex: (call, refuse) => {
          if (config.coinbase === '') return refuse(status.FAILED_PRECONDITION, refusal);
          connections.serve(call, (message) => refuse(status.UNKNOWN, message));
        },
      },
    },
  };
}

function postInfoService({ states }: ServiceContext): Service {
  const list = () =>
    states.all().map(({ identity, state }) => ({ id: identity.id, state, name: identity.name }));
  return {
    name: 'spacemesh.v1.PostInfoService',
    methods: { PostStates: { unary: () => ({ states: list() }) } },
  };
}
