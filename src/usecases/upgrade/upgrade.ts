import { isUp } from '../../domain/compose/container-role.ts';
import { ExitCode } from '../../domain/errors.ts';
import { describeFinding, type Finding, findingsError } from '../../domain/plan/findings.ts';
import { setImages } from '../../domain/project/edit-images.ts';
import {
  type ImageReference,
  parseImageReference,
  shortReference,
} from '../../domain/upgrade/image-reference.ts';
import { formatRelease, type Release } from '../../domain/upgrade/release.ts';
import { planToJson, renderPlan } from '../../ui/plan.ts';
import type { Context } from '../context.ts';
import { lookAtProvers } from '../lifecycle/look-at-provers.ts';
import { type LoadedProject, loadProject } from '../load-project.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { prepareUp } from '../up/prepare.ts';
import type { RollOptions } from './acts.ts';
import type { ImageUse } from './check.ts';
import { type Change, chooseChanges, judgeChanges, type Wishes } from './choose.ts';
import { makeReady, type ReadyImage, wayBack } from './images.ts';
import { lookAtProject, type Standing } from './look.ts';
import { planUpgrade } from './plan.ts';
import { readRecord, removeRecord, type UpgradeRecord, writeRecord } from './record.ts';
import { changesToJson, reportUpgrade } from './report.ts';
import { roll } from './roll.ts';
import { imageChanges, imageIds, judgeWaysBack, noWayBack, writeImages } from './way-back.ts';

export interface UpgradeOptions extends Wishes, RollOptions {
  readonly dryRun: boolean;
}

/**
 * New images: checked, pulled and pinned before anything is touched, then brought into the containers in safe moments,
 * and back to the former ones where they do not do their work (S24, S41).
 */
export function runUpgrade(context: Context, options: UpgradeOptions): Promise<ExitCode> {
  return lockedUnlessDry(context, 'upgrade', options.dryRun, () => upgrade(context, options));
}

async function upgrade(context: Context, options: UpgradeOptions): Promise<ExitCode> {
  const loaded = await loadProject(context);
  const docker = await context.ports.docker();
  await docker.engine();
  const standing = await lookAtProject(context, loaded.project);
  const begun = await findBegun(context, loaded, options);
  if (begun !== undefined) {
    const changes = changesOf(begun);
    if (options.dryRun) return preview(context, loaded, standing, changes, options);
    context.out.note(`Going on with the upgrade that was begun ${begun.startedAt}.`);
    const result = await roll(context, begun, options);
    // `up` may have finished it meanwhile.
    return reportUpgrade(context, changes, result, true);
  }
  const changes = await chooseChanges(context, loaded.project, options);
  if (changes.length === 0) return reportNothing(context, options.dryRun);
  if (options.dryRun) return preview(context, loaded, standing, changes, options);
  const { findings, text } = await decide(context, loaded, standing, changes, options);
  demand(context, findings);
  context.out.note(text);
  const record = await prepareImages(context, loaded, standing, changes, options);
  return reportUpgrade(context, changesOf(record), await roll(context, record, options));
}

/** An upgrade that is under way, where smesh.yaml still wants it and nothing else is asked for. */
async function findBegun(
  context: Context,
  { project, text }: LoadedProject,
  options: UpgradeOptions,
): Promise<UpgradeRecord | undefined> {
  const record = await readRecord(context);
  if (record === undefined) return undefined;
  const { node, provers } = record;
  const stands =
    text === record.after ||
    ((node === undefined || project.node.image === node.to) &&
      (provers === undefined || project.identities.every(({ image }) => image === provers.to)));
  const asked = [
    [options.node, node?.to],
    [options.postService, provers?.to],
  ] as const;
  const other = asked.some(([typed, to]) => typed !== undefined && (to === undefined || !means(typed, to)));
  if (stands && !other) return record;
  if (options.dryRun) return undefined;
  context.out.note('An earlier upgrade is not finished. What it left is done by: smesh-compose up');
  await removeRecord(context);
  return undefined;
}

function means(typed: string, image: string): boolean {
  const tagged = image.split('@', 1)[0] ?? image;
  return typed === image || typed === tagged || tagged.endsWith(`:${typed}`);
}

interface Decided {
  readonly findings: readonly Finding[];
  readonly plan: ReturnType<typeof planUpgrade>;
  readonly text: string;
}

/** All that can be known before an image is here. */
async function decide(
  context: Context,
  { project }: LoadedProject,
  standing: Standing,
  changes: readonly Change[],
  options: UpgradeOptions,
): Promise<Decided> {
  const judged = [
    ...judgeChanges(project, standing, changes, options),
    ...(await judgeWaysBack(context, standing, changes)),
  ];
  const looks = await lookAtProvers(context, project, standing.own);
  const plan = planUpgrade(project, standing, looks, changes, options.force);
  // What would keep `up` back keeps an upgrade back, too; where it is refused already nobody needs to know.
  const refused = judged.some(({ severity }) => severity === 'error');
  const { findings } = refused ? { findings: [] } : await prepareUp(context, { services: [], force: false });
  const { columns, color } = context.out;
  return {
    plan,
    findings: [...judged, ...findings.filter(({ code }) => code !== 'mixed-versions')],
    text: renderPlan(plan, { columns, color, directory: context.directory }),
  };
}

function demand(context: Context, findings: readonly Finding[]): void {
  const error = findingsError(findings);
  if (error !== undefined) throw error;
  for (const finding of findings) context.out.warn(`${describeFinding(finding)}. ${finding.next}`);
}

async function preview(
  context: Context,
  loaded: LoadedProject,
  standing: Standing,
  changes: readonly Change[],
  options: UpgradeOptions,
): Promise<ExitCode> {
  const { findings, plan, text } = await decide(context, loaded, standing, changes, options);
  const error = findingsError(findings);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun: true,
      changes: changesToJson(changes),
      ...planToJson(plan),
      findings,
    });
    return error?.exitCode ?? ExitCode.ok;
  }
  demand(context, findings);
  context.out.result(text);
  context.out.note('Nothing has been changed or pulled. Apply it without --dry-run.');
  return ExitCode.ok;
}

function reportNothing(context: Context, dryRun: boolean): ExitCode {
  if (context.json) {
    const nothing = { outcome: 'nothing', changes: [], upgraded: [], waiting: [], warnings: [] };
    context.out.json({ schemaVersion: 1, dryRun, ...nothing });
  } else {
    context.out.result('Nothing to upgrade: smesh.yaml names these images already.');
    context.out.note('Bring containers in line with it:  smesh-compose up');
  }
  return ExitCode.ok;
}

/** From here on the images are here and run; smesh.yaml names them when it resolves. */
async function prepareImages(
  context: Context,
  { project, text }: LoadedProject,
  standing: Standing,
  changes: readonly Change[],
  options: UpgradeOptions,
): Promise<UpgradeRecord> {
  const idsBefore = imageIds(standing);
  const ready = new Map<ImageUse, ReadyImage>();
  for (const { use, to } of changes) ready.set(use, await makeReady(context, project, use, to));
  const releases = new Map<ImageUse, Release>();
  for (const change of changes) {
    const release = ready.get(change.use)?.release;
    if (release === undefined) continue;
    releases.set(change.use, release);
    warnOfOtherRelease(context, change.to, release);
  }
  const error = findingsError(judgeChanges(project, standing, changes, { ...options, releases }));
  if (error !== undefined) throw error;

  const back: Record<string, string> = {};
  for (const { text: written } of changes.flatMap(({ from }) => from)) {
    const id = idsBefore.get(written);
    const name = await wayBack(context, written, id);
    if (name === undefined) throw findingsError([noWayBack(written, id)]);
    back[written] = name;
  }
  let after = text;
  for (const { use, to } of changes) {
    after = setImages(after, imageChanges(project, after, use, (ready.get(use)?.reference ?? to).text));
  }
  const use = (wanted: ImageUse) => {
    const change = changes.find((one) => one.use === wanted);
    if (change === undefined) return undefined;
    return {
      from: change.from.map((image) => image.text),
      to: (ready.get(wanted)?.reference ?? change.to).text,
    };
  };
  const [node, provers] = [use('node'), use('post-service')];
  const { snapshot, databases } = standing;
  const record: UpgradeRecord = {
    startedAt: new Date(context.clock.now()).toISOString(),
    before: text,
    after,
    back,
    ...(node === undefined ? {} : { node: { from: node.from[0] ?? '', to: node.to } }),
    ...(provers === undefined ? {} : { provers }),
    running: standing.own.flatMap((one) => (isUp(one) && one.service !== undefined ? [one.service] : [])),
    synced: snapshot?.status.ok === true && snapshot.status.value.synced,
    smesherIds: snapshot?.smesherIds.ok === true ? snapshot.smesherIds.value : [],
    databases: {
      ...(databases.local === undefined ? {} : { local: databases.local }),
      ...(databases.state === undefined ? {} : { state: databases.state }),
    },
    passed: [],
  };
  await writeRecord(context, record);
  await writeImages(context, after);
  return record;
}

function warnOfOtherRelease(context: Context, image: ImageReference, release: Release): void {
  if (image.tag === undefined || image.tag.replace(/^v/, '').startsWith(formatRelease(release).slice(1)))
    return;
  context.out.warn(`${shortReference(image)} says that it is ${formatRelease(release)}.`);
}

/** What a record says, as changes. */
function changesOf({ node, provers }: UpgradeRecord): readonly Change[] {
  const read = (text: string): ImageReference =>
    parseImageReference(text) ?? { text, name: text, registry: '', repository: text };
  return [
    ...(node === undefined ? [] : [{ use: 'node' as const, from: [read(node.from)], to: read(node.to) }]),
    ...(provers === undefined
      ? []
      : [{ use: 'post-service' as const, from: provers.from.map(read), to: read(provers.to) }]),
  ];
}
