import type { NonceNeed, NonceOutcome } from '../domain/post-verify/nonce-search.ts';
import type { VerifyPlace } from '../domain/post-verify/report.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { printable } from './text.ts';
import { formatCount } from './units.ts';

export interface NonceReport {
  readonly place: VerifyPlace;
  /** Of the metadata as they were before. */
  readonly copy?: string;
  readonly outcome:
    | Exclude<NonceNeed, { kind: 'search' }>
    | NonceOutcome
    | { readonly kind: 'would-search' }
    /** The metadata are as they were, or have yet to be put back from the copy. */
    | { readonly kind: 'stopped' | 'failed'; readonly why: string };
}

/** `post verify --search-nonce`: a sentence per directory, and what to type. */
export function renderNonces(reports: readonly NonceReport[]): readonly string[] {
  return reports.flatMap(renderNonce);
}

function renderNonce({ place, copy, outcome }: NonceReport): readonly string[] {
  const name = printable(place.name === undefined ? place.path : `${place.name} (${place.path})`);
  const path = quoteForShell(place.path);
  const again = place.directory?.metadata?.nonce === undefined ? '' : '--again ';
  switch (outcome.kind) {
    case 'has-one':
      return [`${name}: has its VRF nonce`];
    case 'would-search':
      return [
        `${name}: all of its data would be read, and the nonce written into postdata_metadata.json, of which a copy is kept`,
      ];
    case 'found':
      return [
        `${name}: VRF nonce ${formatCount(outcome.nonce)} found and written`,
        `    The metadata as they were: ${printable(copy ?? '')}`,
      ];
    case 'none':
      return [
        `! ${name}: none of its labels is small enough to be its VRF nonce (about 3 of 10,000 sets have none)`,
        `    Search on behind the data: smesh-compose post init --resume ${path}`,
      ];
    case 'changed':
      return [
        `! ${name}: ${outcome.why}`,
        `    Put back what it was: cp ${quoteForShell(copy ?? '')} ${quoteForShell(`${place.path}/postdata_metadata.json`)}`,
      ];
    case 'not-possible':
      return [
        `! ${name}: cannot be searched: ${printable(outcome.why)}`,
        ...outcome.next.split('\n').flatMap((line) => (line === '' ? [] : [`    ${printable(line)}`])),
      ];
    case 'stopped':
    case 'failed':
      return [
        `! ${name}: ${outcome.kind === 'stopped' ? 'stopped' : 'the search failed'}: ${printable(outcome.why)}`,
        ...(copy === undefined
          ? ['    The metadata are as they were.']
          : [
              '    The metadata could not be put back as they were. When the disk is there again:',
              `    mv ${quoteForShell(copy)} ${quoteForShell(`${place.path}/postdata_metadata.json`)}`,
            ]),
        `    Again: smesh-compose post verify --search-nonce ${again}${path}`,
      ];
  }
}

/** The same for `--json`; whole numbers of 64 bits as text. */
export function nonceDocument(reports: readonly NonceReport[], at: number, exitCode: number): unknown {
  return {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    exitCode,
    places: reports.map(({ place, copy, outcome }) => ({
      path: place.path,
      name: place.name ?? null,
      smesherId: place.directory?.metadata?.smesherId ?? null,
      copy: copy ?? null,
      outcome: outcome.kind,
      nonce: 'nonce' in outcome && outcome.nonce !== undefined ? outcome.nonce.toString() : null,
      reason: 'why' in outcome ? outcome.why : null,
    })),
  };
}
