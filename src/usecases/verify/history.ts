import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { MalfeasanceProof, Reward, WeighedAtx } from '../../domain/node/answers.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Answer } from '../../ports/node-api.ts';
import type { Context } from '../context.ts';
import { nodeEndpoint } from '../observe/ask-node.ts';
import type { Observation } from '../observe.ts';

/** Whoever published nothing for longer than this is taken for new: its missed epochs are long over. */
const EPOCHS_BACK = 5;

/** Rewards are a question per identity, and a page per hundred layers. */
const REWARDS_TIMEOUT_FACTOR = 3;

/** What the node has on record; absent where it was not asked. */
export interface History {
  readonly atxs?: Answer<readonly WeighedAtx[]>;
  /** Of the present epoch. */
  readonly rewards?: Answer<readonly Reward[]>;
  readonly malfeasance?: Answer<readonly MalfeasanceProof[]>;
}

/** Asks for the ATXs of the last epochs, the rewards of this one and the list of the cancelled. Never rejects. */
export async function askHistory(
  { ports }: Context,
  project: Project,
  { node }: Observation,
  { epoch, smeshers, timeoutMs }: { epoch: number; smeshers: readonly SmesherId[]; timeoutMs: number },
): Promise<History> {
  if (node.answers === undefined || smeshers.length === 0) return {};
  const api = await ports.nodeApi();
  const endpoint = nodeEndpoint(project, node.container);
  const { layersPerEpoch } = project.network;
  const [atxs, rewards, malfeasance] = await Promise.all([
    api.activations(endpoint, {
      smeshers,
      fromEpoch: Math.max(0, epoch - EPOCHS_BACK),
      // 0 would mean no limit, which is the same then: nobody has published anything later.
      toEpoch: epoch,
      timeoutMs,
    }),
    api.rewards(endpoint, {
      smeshers,
      fromLayer: epoch * layersPerEpoch,
      toLayer: (epoch + 1) * layersPerEpoch - 1,
      timeoutMs: timeoutMs * REWARDS_TIMEOUT_FACTOR,
    }),
    api.malfeasance(endpoint, { smeshers, timeoutMs }),
  ]);
  return { atxs, rewards, malfeasance };
}
