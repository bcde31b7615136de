import { initialisationCommand } from '../compose/init-jobs.ts';
import { isMapping } from '../is-mapping.ts';
import type { InitialisationJob, InitialisationSettings, Network } from '../project/types.ts';

/** What decides which labels are written, and which are deleted. A card may be another one. */
const OF_DATA = [
  'id',
  'commitmentAtxId',
  'datadir',
  'numUnits',
  'maxFileSize',
  'labelsPerUnit',
  'scryptN',
  'fromFile',
  'toFile',
];

function flagsOf(words: readonly unknown[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (const [index, word] of words.entries()) {
    if (typeof word === 'string' && word.startsWith('-'))
      flags.set(word.replace(/^--?/, ''), `${words[index + 1] ?? ''}`);
  }
  return flags;
}

/**
 * In what a service, as Compose reads it now, is another job than the one whose files were judged: smesh.yaml was edited
 * meanwhile, compose.yaml was, or an override says something else. With fewer units postcli would delete labels without
 * asking (spacemesh.md §14.4). `undefined`: they are the same.
 */
export function otherThanJudged(
  job: InitialisationJob,
  settings: InitialisationSettings,
  network: Network,
  service: { readonly [key: string]: unknown } | undefined,
): string | undefined {
  if (service === undefined) return 'it is not there any more';
  const { command, volumes } = service;
  const wanted = flagsOf(initialisationCommand(job, settings, network));
  const found = flagsOf(Array.isArray(command) ? command : []);
  for (const flag of OF_DATA) {
    if (wanted.get(flag) !== found.get(flag))
      return `-${flag} is ${found.get(flag) ?? 'not set'} and was ${wanted.get(flag) ?? 'not set'}`;
  }
  const mounts: readonly unknown[] = Array.isArray(volumes) ? volumes : [];
  const place = mounts.find((mount) => isMapping(mount) && mount['target'] === wanted.get('datadir'));
  const source = isMapping(place) ? place['source'] : undefined;
  // Compose prints a dollar twice.
  if (typeof source === 'string' && [source, source.replaceAll('$$', '$')].includes(job.data))
    return undefined;
  return `it writes to ${source ?? 'no directory'} and not to ${job.data}`;
}
