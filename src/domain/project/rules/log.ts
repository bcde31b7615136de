import { error, type Finding, type Rule } from './rule.ts';

const ENOUGH = new Set(['info', 'debug', 'trace']);
const TOO_LITTLE = new Set(['off', 'error', 'warn']);

/** Why a RUST_LOG would hide the phases of a proof; `undefined` when it shows them. */
function logFault(filter: string): string | undefined {
  if (filter.includes('/')) return 'filters lines by their text';
  const directives = filter.split(',').map((directive) => directive.trim().toLowerCase());
  const hidden = directives.find((directive) => {
    const [target = '', level] = directive.split('=');
    // Other crates may be as quiet as one likes.
    return TOO_LITTLE.has(level === undefined ? target : target.startsWith('post') ? level : '');
  });
  if (hidden !== undefined) return `${hidden} is less than info`;
  if (!directives.some((directive) => ENOUGH.has(directive))) {
    return 'sets no level for everything else, which then logs errors only';
  }
  return undefined;
}

/** Phases and k2pow progress are told from the log alone (spacemesh.md §14.1), so less than info is refused (design §5). */
export const log: Rule = ({ written }) => {
  const findings: Finding[] = [];
  const check = (path: readonly PropertyKey[], filter: string | undefined) => {
    const fault = filter === undefined ? undefined : logFault(filter);
    if (fault === undefined) return;
    findings.push(
      error(
        path,
        `${JSON.stringify(filter)} ${fault}; the phase of a proof is seen only in the log (info,post::prove=debug)`,
      ),
    );
  };
  check(['defaults', 'log'], written.defaults?.log);
  written.identities.forEach((identity, index) => {
    check(['identities', index, 'log'], identity.log);
  });
  return findings;
};
