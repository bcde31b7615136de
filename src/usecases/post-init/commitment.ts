import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { genesisId, goldenAtx } from '../../domain/node/networks.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { nodeEndpoint } from '../observe/ask-node.ts';

/** What the labels of new data commit to besides the identity (spacemesh.md §2.2). */
export interface Commitment {
  /** 64 hex digits. */
  readonly atx: string;
  readonly source: 'golden' | 'latest' | 'given';
  /** For people: which one it is, and why. */
  readonly words: string;
}

const ASK_MS = 4000;
const HEX_64 = /^[0-9a-fA-F]{64}$/;

/**
 * The commitment ATX of new data: as told, else the node's highest where a synced node of this very network answers, else
 * the golden ATX, which every network accepts and nobody needs a node for. Either is as good: it only says that the data is
 * not older than that ATX. Asked for by name the node's has to be there (exit 4).
 */
export async function chooseCommitment(
  context: Context,
  project: Project,
  wanted: string | undefined,
): Promise<Commitment> {
  const golden: Commitment = {
    atx: goldenAtx(project.network),
    source: 'golden',
    words: `the golden ATX of ${project.network.name}`,
  };
  if (wanted === 'golden') return golden;
  if (wanted !== undefined && HEX_64.test(wanted))
    return { atx: wanted.toLowerCase(), source: 'given', words: 'as given' };
  if (wanted !== undefined && wanted !== 'latest')
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--commitment is golden, latest or the 64 hex digits of an ATX, not ${JSON.stringify(wanted)}`,
      { hint: 'Nothing was changed.' },
    );
  const answer = await askNodeForHighest(context, project);
  if ('atx' in answer)
    return answer.atx === golden.atx
      ? { ...golden, words: `${golden.words}: the node knows no other yet` }
      : { atx: answer.atx, source: 'latest', words: "the node's highest ATX" };
  if (wanted === 'latest')
    throw new SmeshError(
      'no-latest-atx',
      ExitCode.environment,
      `--commitment latest needs a synced node of ${project.network.name} to ask, and ${answer.why}`,
      {
        hint: 'Nothing was changed. Start it (smesh-compose up), or take --commitment golden: it is as good.',
      },
    );
  return { ...golden, words: `${golden.words}: ${answer.why}` };
}

async function askNodeForHighest(
  { ports }: Context,
  project: Project,
): Promise<{ readonly atx: string } | { readonly why: string }> {
  const api = await ports.nodeApi();
  const endpoint = nodeEndpoint(project, undefined);
  const { status, network } = await api.snapshot(endpoint, { timeoutMs: ASK_MS, withoutEvents: true });
  if (!network.ok || !status.ok) return { why: `no node answers at ${endpoint.publicApi}` };
  // Whoever listens there: data that commits to another network's ATX is worth nothing.
  if (network.value.genesisId !== genesisId(project.network))
    return { why: `the node at ${endpoint.publicApi} is of another network` };
  if (!status.value.synced) return { why: 'the node is not synced yet' };
  const highest = await api.highestAtx(endpoint, ASK_MS);
  return highest.ok
    ? { atx: highest.value }
    : { why: `the node did not tell its highest ATX (${highest.error.message})` };
}
