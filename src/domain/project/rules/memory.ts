import { memoryBytes } from '../memory-amount.ts';
import { type Finding, type Rule, warning } from './rule.ts';

const MIB = 1024 ** 2;
/** Measured peaks with a little air: 2.29 GiB fast, 262 MiB light, also for the check of a proof (spacemesh.md §14.1). */
const NEEDED = { fast: 2400 * MIB, light: 300 * MIB } as const;

/** A limit below what a proof needs kills the prover in the middle of every proof. */
export const memory: Rule = ({ project, written }) => {
  const findings: Finding[] = [];
  project.identities.forEach((identity, index) => {
    const mode = identity.remoteK2pow === undefined ? identity.randomx : 'light';
    if (memoryBytes(identity.memory) >= NEEDED[mode]) return;
    const own = written.identities[index]?.memory !== undefined;
    if (!own && findings.some(({ path }) => path[0] === 'defaults')) return;
    findings.push(
      warning(
        own ? ['identities', index, 'memory'] : ['defaults', 'memory'],
        `${identity.memory} is less than a proof in ${mode} mode takes (${mode === 'fast' ? '2.3 GiB' : '262 MiB'}); ${identity.name} would be killed`,
      ),
    );
  });
  return findings;
};
