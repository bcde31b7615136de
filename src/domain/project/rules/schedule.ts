import { PROOF_MEMORY } from '../../schedule/policy.ts';
import { error, type Finding, type Rule, warning } from './rule.ts';

/** Budgets in which not even one proof fits, and words that mean nobody. */
export const schedule: Rule = ({ written, project }) => {
  const findings: Finding[] = [];
  const { memoryBytes, threads, rates, orchestrator } = project.schedule;
  const largest = project.identities.reduce((most, { randomx, remoteK2pow }) => {
    return Math.max(most, PROOF_MEMORY[remoteK2pow === undefined ? randomx : 'remote']);
  }, 0);
  if (memoryBytes !== undefined && memoryBytes < largest) {
    findings.push(
      error(
        ['schedule', 'memory'],
        `${written.schedule?.memory} is less than one proof takes (${(largest / 2 ** 30).toFixed(1)} GiB)`,
      ),
    );
  }
  const most = project.identities.reduce(
    (all, one) => Math.max(all, one.pinnedCores?.length ?? one.threads ?? 0),
    0,
  );
  if (threads !== undefined && threads < most) {
    findings.push(
      warning(
        ['schedule', 'threads'],
        `${threads} is less than the ${most} threads of one identity: it proves alone`,
      ),
    );
  }
  const disks = new Set(project.identities.map(({ disk }) => disk));
  // Names of the system are known only on the machine; where every identity has its word, another word is nobody's.
  if (!disks.has(undefined)) {
    for (const disk of Object.keys(rates.diskBytesPerSecond)) {
      if (!disks.has(disk)) {
        findings.push(warning(['schedule', 'rates', 'disks', disk], 'no identity names this disk'));
      }
    }
  }
  if (
    orchestrator &&
    [...project.identities, ...(project.initialisation?.jobs ?? [])].some(
      ({ name }) => name === 'orchestrator',
    )
  ) {
    findings.push(
      error(
        ['schedule', 'orchestrator'],
        'the service would be named orchestrator, and that name is taken by an identity or a job',
      ),
    );
  }
  return findings;
};
