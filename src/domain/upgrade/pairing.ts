import type { Finding } from '../plan/findings.ts';
import { formatRelease, type Release } from './release.ts';

export interface Pair {
  readonly node: Release;
  readonly prover: Release;
  /** Some identity leaves its k2pow to others. */
  readonly remoteK2pow: boolean;
}

/**
 * Whether a node and a post-service fit together. 0.7.x and 0.8.x speak the same as every node from 1.4 to 1.7
 * (spacemesh.md §0); what is newer was not read. `--remote-k2pow` came with 0.8.0 (§3.1).
 */
export function judgePair({ node, prover, remoteK2pow }: Pair): readonly Finding[] {
  const findings: Finding[] = [];
  const knownNode = node.major === 1 && node.minor >= 4 && node.minor <= 7;
  const knownProver = prover.major === 0 && (prover.minor === 7 || prover.minor === 8);
  if (!knownNode || !knownProver) {
    findings.push({
      code: 'pair-unknown',
      severity: 'warning',
      kind: 'invalid',
      message: `Whether node ${formatRelease(node)} and post-service ${formatRelease(prover)} fit together is not known to this version of the tool`,
      next: "Look it up in both projects' release notes first",
    });
  }
  if (remoteK2pow && prover.major === 0 && prover.minor < 8) {
    findings.push({
      code: 'remote-k2pow-missing',
      severity: 'error',
      kind: 'invalid',
      message: `post-service ${formatRelease(prover)} does not know remoteK2pow, which smesh.yaml uses: it would end at its start`,
      next: 'Use v0.8.2 or newer, or take remoteK2pow out of smesh.yaml',
    });
  }
  return findings;
}
