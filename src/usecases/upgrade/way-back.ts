import type { Finding } from '../../domain/plan/findings.ts';
import { type ImageChanges, identitiesWithOwnImage, setImages } from '../../domain/project/edit-images.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { parseImageReference } from '../../domain/upgrade/image-reference.ts';
import { canGoBack, nodePath } from '../../domain/upgrade/node-path.ts';
import { parseRelease } from '../../domain/upgrade/release.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { loadProject } from '../load-project.ts';
import type { ImageUse } from './check.ts';
import type { Change } from './choose.ts';
import { wayBack } from './images.ts';
import { lookAtDatabases, type Standing } from './look.ts';
import type { UpgradeRecord } from './record.ts';

/** Edits smesh.yaml, and all that follows from it, in one journaled act. */
export async function writeImages(context: Context, text: string): Promise<void> {
  const { project } = requireProject(text, { directory: context.directory });
  const plan = await planGenerate(context, { project, text, keyPlaces: [], repairKeys: false, force: false });
  await applyGenerate(context, 'upgrade', plan);
}

/** Names for smesh.yaml that put one image in the place of all of a use. */
export function imageChanges(project: Project, text: string, use: ImageUse, image: string): ImageChanges {
  if (use === 'node') return { node: image };
  const own = new Set(identitiesWithOwnImage(text));
  const ids = project.identities.filter(({ id }) => own.has(id)).map(({ id }) => [id, image] as const);
  return { provers: image, ...(ids.length === 0 ? {} : { own: new Map(ids) }) };
}

/** Writes the former images of a use back; byte for byte where nothing else was changed meanwhile. */
export async function writeFormerImages(
  context: Context,
  record: UpgradeRecord,
  use: ImageUse,
): Promise<void> {
  const { text } = await loadProject(context);
  const alone = (use === 'node' ? record.provers : record.node) === undefined;
  const moved = Object.entries(record.back).some(([written, name]) => written !== name);
  if (text === record.after && alone && !moved) return writeImages(context, record.before);
  const { project } = requireProject(record.before, { directory: context.directory });
  const nameOf = (written: string) => record.back[written] ?? written;
  const own = new Set(identitiesWithOwnImage(record.before));
  const changes: ImageChanges =
    use === 'node'
      ? { node: nameOf(project.node.image) }
      : {
          provers: nameOf(project.defaults.image),
          own: new Map(
            project.identities
              .filter(({ id }) => own.has(id))
              .map(({ id, image }) => [id, nameOf(image)] as const),
          ),
        };
  await writeImages(context, setImages(text, changes));
}

/** By the names that containers were made with. */
export function imageIds({ own }: Standing): ReadonlyMap<string, string | undefined> {
  return new Map(own.map(({ image, imageId }) => [image, imageId]));
}

/** Whether the images that run can be named again later. What can be told before a pull; one that moves the very tag that is in use is only seen after it. */
export async function judgeWaysBack(
  context: Context,
  standing: Standing,
  changes: readonly Change[],
): Promise<readonly Finding[]> {
  const ids = imageIds(standing);
  const used = [...new Set(changes.flatMap(({ from }) => from.map(({ text }) => text)))];
  const judged = await Promise.all(
    used.map(async (written) =>
      (await wayBack(context, written, ids.get(written))) === undefined
        ? [noWayBack(written, ids.get(written))]
        : [],
    ),
  );
  return judged.flat();
}

export function noWayBack(written: string, id: string | undefined): Finding {
  const short = id?.replace(/^sha256:/, '').slice(0, 12) ?? '';
  return {
    code: 'no-way-back',
    severity: 'error',
    kind: 'refused',
    message: `${written} stands for another image now than the one that runs, and the one that runs is in no registry: after the upgrade nothing would lead back to it`,
    next: `Give the image that runs its name back: docker tag ${short} ${quoteForShell(written.split('@', 1)[0] ?? written)}`,
  };
}

export type DatabaseVerdict =
  | { readonly back: true }
  /** Why the former release must not be given these databases. */
  | { readonly back: false; readonly why: string };

/** Whether the former node would still take the databases (`ErrTooNew`, spacemesh.md §6.1). Not known is no. */
export async function judgeWayBack(
  context: Context,
  project: Project,
  record: UpgradeRecord,
): Promise<DatabaseVerdict> {
  const now = await lookAtDatabases(context, project);
  const verdict = canGoBack(record.databases, now);
  if (verdict === true) return { back: true };
  if (verdict === false) {
    const files = (['local', 'state'] as const).flatMap((name) => {
      const [was, is] = [record.databases[name], now[name]];
      return was !== undefined && is !== undefined && is > was
        ? [`${name}.sql from version ${was} to ${is}`]
        : [];
    });
    return { back: false, why: `it has migrated ${files.join(' and ')}, which the former release refuses` };
  }
  const releases = [record.node?.to, record.node?.from].map((image) =>
    parseRelease(parseImageReference(image ?? '')?.tag ?? ''),
  );
  const [to, from] = releases;
  if (to !== undefined && from !== undefined) {
    const path = nodePath(to, from);
    if (path.kind === 'same' || (path.kind === 'back' && path.possible)) return { back: true };
  }
  return {
    back: false,
    why: 'whether it has migrated its databases, which the former release would then refuse, could not be learnt',
  };
}
