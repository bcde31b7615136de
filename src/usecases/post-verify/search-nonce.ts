import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { DEFAULT_IMAGES } from '../../domain/node/images.ts';
import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import type { PostMetadata } from '../../domain/post/types.ts';
import { judgeSearch, nonceNeed, searchFlags, withoutNonce } from '../../domain/post-verify/nonce-search.ts';
import { fileBegun, lastWords } from '../../domain/post-verify/postcli-said.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import { scryptNOf } from '../../domain/post-verify/scrypt-n.ts';
import type { Project } from '../../domain/project/types.ts';
import { type NonceReport, nonceDocument, renderNonces } from '../../ui/post-nonce.ts';
import type { Context } from '../context.ts';
import { loadProjectIfPresent } from '../load-project.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { bringImages } from '../rehearse/images.ts';
import { byLine, checkContainer, onHost, StopChecking } from './check-labels.ts';
import { choosePlaces } from './choose-places.ts';
import { lookAtPlaces } from './look.ts';
import { refuseNow } from './refuse.ts';
import { watchOver } from './watch-over.ts';
import { whoServes } from './who-serves.ts';

export interface SearchOptions {
  readonly words: readonly string[];
  readonly dryRun: boolean;
  /** Also where there is a nonce, which is forgotten first. */
  readonly again: boolean;
  readonly scryptN?: number;
  readonly image?: string;
}

/** A share that is there answers within it. */
const ANSWER_MS = 10_000;

interface Fault {
  readonly kind: 'stopped' | 'failed';
  readonly why: string;
}

interface Search {
  readonly place: VerifyPlace;
  readonly metadata: PostMetadata;
}

/**
 * Reads complete data without a VRF nonce for the smallest label and has postcli write it into the metadata, of which a copy
 * is kept beside them first; a search that does not end puts it back. Exit 0 all have one, 3 one has none or cannot, 5 refused, 6 a search failed or was stopped.
 */
export async function searchForNonces(context: Context, options: SearchOptions): Promise<ExitCode> {
  const loaded = await loadProjectIfPresent(context);
  const project = loaded?.project;
  const act = () => searchUnlocked(context, project, options);
  if (project === undefined) return act();
  return lockedUnlessDry(context, 'post verify --search-nonce', options.dryRun, act);
}

async function searchUnlocked(
  context: Context,
  project: Project | undefined,
  options: SearchOptions,
): Promise<ExitCode> {
  const places = await lookAtPlaces(context, project, choosePlaces(context, project, options.words));
  const reports: NonceReport[] = [];
  const searches: Search[] = [];
  for (const place of places) {
    const need =
      place.directory === undefined
        ? ({ kind: 'not-possible', why: place.fault ?? 'was not seen', next: '' } as const)
        : nonceNeed(place.directory, options.again);
    if (need.kind === 'search') searches.push({ place, metadata: need.metadata });
    else reports.push({ place, outcome: need });
  }
  await refuseServed(context, project, searches);
  await refuseNow(
    context,
    project,
    searches.map(({ place }) => place),
    'post verify --search-nonce',
  );
  if (options.dryRun) {
    reports.push(...searches.map(({ place }): NonceReport => ({ place, outcome: { kind: 'would-search' } })));
  } else if (searches.length > 0) {
    const image = options.image ?? project?.initialisation?.image ?? DEFAULT_IMAGES.initialisation;
    await bringImages(context, [{ role: 'postcli', image, flag: '--postcli-image' }]);
    for (const search of searches) {
      // What was found before Ctrl-C is told all the same.
      if (context.signal.aborted) break;
      const n = scryptNOf(search.metadata, project?.network, options.scryptN);
      // The search reads labels and makes none: a wrong N would harm nothing, and postcli wants to be given one.
      reports.push(
        await searchOne(context, project, search, { image, scryptN: n.kind === 'known' ? n.n : 8192 }),
      );
    }
  }
  const exitCode = context.signal.aborted ? ExitCode.cancelled : exitCodeOf(reports);
  if (context.json) {
    // The one document: an error would be a second.
    context.out.json(nonceDocument(reports, context.clock.now(), exitCode));
    return exitCode;
  }
  context.out.result(renderNonces(reports).join('\n'));
  context.signal.throwIfAborted();
  return exitCode;
}

/** A service that runs may read the metadata at any moment, and would prove with what it read before. */
async function refuseServed(
  context: Context,
  project: Project | undefined,
  searches: readonly Search[],
): Promise<void> {
  if (searches.length === 0) return;
  const serverOf = await whoServes(context);
  for (const { place } of searches) {
    const server = serverOf(place);
    if (server === undefined) continue;
    const isOwn = project !== undefined && server.project === project.name;
    const name = isOwn ? (server.service ?? server.name) : server.name;
    throw new SmeshError(
      'data-served',
      ExitCode.refused,
      `Refused: ${name} serves ${place.path}, and the search writes the metadata that it reads. Nothing was changed.`,
      {
        hint: isOwn
          ? `Stop it first: smesh-compose stop ${name}   and afterwards: smesh-compose up ${name}`
          : `It is none of this project: stop it as it was started, or: docker stop ${name}`,
      },
    );
  }
}

async function searchOne(
  context: Context,
  project: Project | undefined,
  { place, metadata }: Search,
  { image, scryptN }: { readonly image: string; readonly scryptN: number },
): Promise<NonceReport> {
  const { ports, out } = context;
  const folder = place.directory?.realPath ?? place.path;
  const copy = await keepMetadata(context, folder);
  if (metadata.nonce !== undefined || metadata.lastPosition !== undefined) await forgetNonce(context, folder);
  out.note(
    `Searching ${place.path} for its VRF nonce: all of its data are read. Before it, the metadata are kept as ${copy}`,
  );
  const docker = await ports.docker();
  const controller = new AbortController();
  const ended = new AbortController();
  const cancel = () => controller.abort(new StopChecking('ended by Ctrl-C'));
  context.signal.addEventListener('abort', cancel, { once: true });
  if (context.signal.aborted) cancel();
  const stop = (reason: StopChecking) => controller.abort(reason);
  const watch = watchOver(context, project, [{ disk: place.disk, places: [place], stop }], ended.signal);
  const live = out.live();
  let hasBegun = false;
  const hear = byLine((line) => {
    const file = fileBegun(line);
    if (file === undefined) return;
    hasBegun = true;
    if (out.interactive) live.update([`file ${file} of ${place.directory?.files?.expected ?? '?'}`]);
  });
  let fault: Fault | undefined;
  try {
    const container = checkContainer(image, place, searchFlags(metadata, scryptN), true);
    const result = await docker.runHelper({ ...container, signal: controller.signal, onOutput: hear });
    if (result.kind === 'not-started') fault = { kind: 'failed', why: result.reason };
    else if (result.kind === 'timed-out') fault = { kind: 'failed', why: 'it took longer than three weeks' };
    else if (result.exitCode !== 0) fault = { kind: 'failed', why: onHost(lastWords(result), place) };
    // Some other program ends with 0, too.
    else if (!hasBegun)
      fault = { kind: 'failed', why: 'it looked at no data file: is the image of postcli?' };
  } catch (error) {
    fault = faultOf(error, controller.signal);
  } finally {
    ended.abort();
    context.signal.removeEventListener('abort', cancel);
    await watch;
    live.done();
  }
  // Of a disk that is gone nothing can be read, and nothing put back.
  const host = await ports.host();
  if (fault !== undefined && !(await host.answers(folder, ANSWER_MS))) return { place, copy, outcome: fault };
  const outcome = await judge(context, folder, metadata, fault);
  if (outcome.kind !== 'stopped' && outcome.kind !== 'failed') return { place, copy, outcome };
  // What half a search has found need not be the smallest, and what was forgotten for it would be missing.
  const isBack = await ports.files.replace(copy, `${folder}/${METADATA_FILE}`).then(
    () => true,
    () => false,
  );
  return { place, outcome, ...(isBack ? {} : { copy }) };
}

function faultOf(error: unknown, signal: AbortSignal): Fault {
  if (signal.reason instanceof StopChecking) return { kind: 'stopped', why: signal.reason.message };
  if (error instanceof SmeshError) return { kind: 'failed', why: error.message };
  return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
}

async function judge(
  { ports }: Context,
  folder: string,
  before: PostMetadata,
  fault: Fault | undefined,
): Promise<NonceReport['outcome']> {
  const text = await ports.files.readTextIfPresent(`${folder}/${METADATA_FILE}`).catch(() => undefined);
  const reading = text === undefined ? undefined : readMetadata(text);
  const after = reading?.kind === 'read' ? reading.metadata : undefined;
  // Killed while it wrote them.
  if (after === undefined && fault !== undefined) return fault;
  const outcome = judgeSearch(before, after);
  if (outcome.kind !== 'none') return outcome.kind === 'found' ? (fault ?? outcome) : outcome;
  // postcli ends with 1 where it has found none.
  if (fault?.kind === 'failed' && /nonce not found/.test(fault.why)) return outcome;
  return fault ?? outcome;
}

/** postcli keeps what is smaller than all that it finds, be it the label of nothing. */
async function forgetNonce({ ports }: Context, folder: string): Promise<void> {
  const path = `${folder}/${METADATA_FILE}`;
  const text = withoutNonce(await ports.files.readText(path));
  if (text !== undefined) await ports.files.writeAtomic(path, text);
}

/** A copy beside the metadata under a name that nobody reads and that is not taken. */
async function keepMetadata({ ports }: Context, folder: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const copy = `${folder}/${METADATA_FILE}.before-nonce${number === 1 ? '' : `-${number}`}`;
    try {
      await ports.files.copy(`${folder}/${METADATA_FILE}`, copy);
      return copy;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function exitCodeOf(reports: readonly NonceReport[]): ExitCode {
  const kinds = new Set(reports.map(({ outcome }) => outcome.kind));
  if (kinds.has('none') || kinds.has('not-possible') || kinds.has('changed')) return ExitCode.invalid;
  return kinds.has('failed') || kinds.has('stopped') ? ExitCode.unhealthy : ExitCode.ok;
}
