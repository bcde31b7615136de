import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { DEFAULT_IMAGES } from '../../domain/node/images.ts';
import { formatRanges } from '../../domain/post/completeness.ts';
import type { ScannedDirectory } from '../../domain/post/types.ts';
import { type FileRange, filesToCheck, keyHinders, within } from '../../domain/post-verify/files-to-check.ts';
import {
  type LabelsLook,
  type PlaceReport,
  recordOf,
  type VerifyPlace,
  verdictOf,
} from '../../domain/post-verify/report.ts';
import { scryptNOf } from '../../domain/post-verify/scrypt-n.ts';
import type { Project } from '../../domain/project/types.ts';
import { renderVerify, structureFacts, verifyDocument } from '../../ui/post-verify.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { loadProjectIfPresent } from '../load-project.ts';
import { bringImages } from '../rehearse/images.ts';
import type { LabelCheck } from './check-labels.ts';
import { choosePlaces } from './choose-places.ts';
import { lookAtPlaces } from './look.ts';
import { loadRecords, RecordKeeper } from './records.ts';
import { refuseNow } from './refuse.ts';
import { runChecks } from './run-checks.ts';
import { whoServes } from './who-serves.ts';

export interface VerifyOptions {
  /** Names or smesher IDs of identities, names of jobs, directories; empty: all identities of the project. */
  readonly words: readonly string[];
  /** Percent of the labels. */
  readonly fraction: number;
  readonly files: Partial<FileRange>;
  /** Metadata, files, nonce and key only. */
  readonly structureOnly: boolean;
  /** What was found the last time, without looking at anything but the structure. */
  readonly last: boolean;
  /** Says which labels would be looked at, or why that is refused now. */
  readonly dryRun: boolean;
  readonly scryptN?: number;
  readonly image?: string;
}

/**
 * Structure always; then a sample of the labels, one reader per disk, in containers that can write nothing. Exit 0 right,
 * 3 something is wrong, 6 something could not be looked at, 5 refused now, 130 ended by Ctrl-C with the containers.
 */
export async function runVerify(context: Context, options: VerifyOptions): Promise<ExitCode> {
  return (await verifyPlaces(context, options)).exitCode;
}

/** The same, with whether a label was wrong: the exit code speaks of keys and files, too. */
export async function verifyPlaces(
  context: Context,
  options: VerifyOptions,
): Promise<{ readonly exitCode: ExitCode; readonly wrongLabels: boolean }> {
  const loaded = await loadProjectIfPresent(context);
  const project = loaded?.project;
  const places = await lookAtPlaces(context, project, choosePlaces(context, project, options.words));
  const decided = places.map((place) => decide(project, place, options));
  const checks = decided.flatMap((one) => ('scryptN' in one ? [one] : []));
  const { results, kept } =
    checks.length === 0
      ? { results: new Map<VerifyPlace, LabelsLook>(), kept: false }
      : await check(context, project, places, checks, options);
  const records = project === undefined ? [] : await loadRecords(context);
  const withServer = await serversOf(context, results);
  const reports = decided.map((one): PlaceReport => {
    const place = withServer(one.place);
    const labels: LabelsLook =
      'scryptN' in one ? (results.get(one.place) ?? { kind: 'not-checked', why: 'not reached' }) : one.labels;
    const last = records.find(
      ({ path, smesherId }) => path === place.path && smesherId === place.directory?.metadata?.smesherId,
    );
    return { place, labels, ...(last === undefined ? {} : { last }) };
  });
  const report = {
    at: context.clock.now(),
    fraction: options.fraction,
    ...(options.files.to === undefined ? {} : { toFile: options.files.to }),
    places: reports,
    kept,
  };
  const exitCode = context.signal.aborted ? ExitCode.cancelled : exitCodeOf(reports, options);
  const wrongLabels = [...results.values()].some(hasWrong);
  if (context.json) {
    // The one document: an error would be a second.
    context.out.json(verifyDocument(report, exitCode));
    return { exitCode, wrongLabels };
  }
  context.out.result(renderVerify(report, context.out).join('\n'));
  // What was found until then is shown and kept; that it was ended is the answer all the same.
  context.signal.throwIfAborted();
  return { exitCode, wrongLabels };
}

function hasWrong(look: LabelsLook | undefined): boolean {
  return look !== undefined && 'wrong' in look && look.wrong.length > 0;
}

/** Where a file is to be written again, nobody may serve it meanwhile, of whatever project. */
async function serversOf(
  context: Context,
  results: ReadonlyMap<VerifyPlace, LabelsLook>,
): Promise<(place: VerifyPlace) => VerifyPlace> {
  if (![...results.values()].some(hasWrong)) return (place) => place;
  const serverOf = await whoServes(context).catch(() => () => undefined);
  return (place) => {
    const server = place.served !== true && hasWrong(results.get(place)) ? serverOf(place) : undefined;
    return server === undefined ? place : { ...place, servedBy: server.name };
  };
}

type Decided = LabelCheck | { readonly place: VerifyPlace; readonly labels: LabelsLook };

/** Whether the labels of a place are looked at, and with what; else why not. */
function decide(project: Project | undefined, place: VerifyPlace, options: VerifyOptions): Decided {
  const { directory, fault } = place;
  const not = (why: string): Decided => ({ place, labels: { kind: 'not-checked', why } });
  if (options.last || options.structureOnly) return not('not asked for');
  if (directory?.metadata === undefined) return not(fault ?? 'its metadata cannot be used');
  const all = filesToCheck(directory);
  if (all === undefined) return not('its files are not as they should be: no position in them is certain');
  const range = within(all, options.files);
  if (range === undefined) {
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `${place.path} has no whole data files in that range`,
      {
        hint: `It has ${all.from} to ${all.to}: give --from-file and --to-file within. Nothing was read.`,
      },
    );
  }
  if (keyHinders(directory)) return not('postcli wants the key beside the data to be its own first');
  const scryptN = scryptNOf(directory.metadata, project?.network, options.scryptN);
  if (scryptN.kind === 'unknown') {
    return not(`${scryptN.why}. Work in the project of that network (-C DIR), or give it: --scrypt-n N`);
  }
  refuseOtherN(project, directory, options.scryptN);
  return { place, range, scryptN: scryptN.n };
}

/** With another N every label looks wrong, and would stay on record so until all were checked in full. */
function refuseOtherN(
  project: Project | undefined,
  { path, metadata }: ScannedDirectory,
  given: number | undefined,
): void {
  if (given === undefined || metadata === undefined) return;
  const known = scryptNOf(metadata, project?.network);
  if (known.kind === 'unknown' || known.n === given) return;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--scrypt-n ${given}: by their size of a unit the data in ${path} were made with N ${known.n}, and with another one every label would look wrong. Nothing was read.`,
    { hint: 'Leave --scrypt-n out. Data of another network: work in a project of that network (-C DIR)' },
  );
}

async function check(
  context: Context,
  project: Project | undefined,
  places: readonly VerifyPlace[],
  checks: readonly LabelCheck[],
  { fraction, image: given, dryRun }: VerifyOptions,
): Promise<{ readonly results: ReadonlyMap<VerifyPlace, LabelsLook>; readonly kept: boolean }> {
  const { out, json, clock } = context;
  const image = given ?? project?.initialisation?.image ?? DEFAULT_IMAGES.initialisation;
  try {
    await refuseNow(
      context,
      project,
      checks.map(({ place }) => place),
      'post verify',
    );
    if (dryRun) {
      return { results: new Map(checks.map((one) => [one.place, wouldCheck(one, fraction)])), kept: false };
    }
    await bringImages(context, [{ role: 'postcli', image, flag: '--postcli-image' }]);
  } catch (error) {
    // The structure was looked at all the same, and is said.
    if (!(error instanceof SmeshError)) throw error;
    const labels: LabelsLook = { kind: 'not-checked', why: 'see below' };
    const report = {
      at: clock.now(),
      fraction,
      places: places.map((place) => ({ place, labels })),
      kept: false,
    };
    if (!json) out.result(renderVerify(report, out).join('\n'));
    const { code, exitCode, message, hint, details, facts } = error;
    throw new SmeshError(code, exitCode, message, {
      ...(hint === undefined ? {} : { hint }),
      details,
      facts: { ...facts, structure: structureFacts(places) },
      cause: error,
    });
  }
  const disks = new Set(checks.map(({ place }) => place.disk)).size;
  out.note(
    `Checking ${fraction} % of the labels in ${plural(checks.length, 'directory', 'directories')} on ${plural(disks, 'disk')}, one at a time on each. Ctrl-C ends it; nothing is written to the data.`,
  );
  const keeper = new RecordKeeper(context);
  let kept = false;
  const results = await runChecks(context, project, checks, {
    ...{ image, fraction },
    onEnd: async ({ place }, result) => {
      const record = recordOf(place, result, fraction, clock.now());
      if (project !== undefined && record !== undefined && (await keeper.keep(record))) kept = true;
    },
  });
  return { results, kept };
}

function wouldCheck({ range, scryptN }: LabelCheck, fraction: number): LabelsLook {
  const files = formatRanges([[range.from, range.to]]);
  return { kind: 'not-checked', why: `${fraction} % of ${files} would be, with scrypt N ${scryptN}` };
}

function exitCodeOf(
  places: readonly PlaceReport[],
  { last, structureOnly, dryRun }: VerifyOptions,
): ExitCode {
  const asked = last || structureOnly || dryRun ? places.map(withRemembered) : places;
  const verdict = verdictOf({ places: asked });
  if (verdict === 'wrong') return ExitCode.invalid;
  return verdict === 'right' ? ExitCode.ok : ExitCode.unhealthy;
}

/** Where the labels were not asked for, what is remembered counts; nothing remembered is nothing wrong. */
function withRemembered(report: PlaceReport): PlaceReport {
  if (report.place.fault !== undefined) return report;
  return { ...report, labels: { kind: 'checked', wrong: report.last?.wrong ?? [] } };
}
