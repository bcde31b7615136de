import { type ImageChanges, identitiesWithOwnImage, setImages } from '../../domain/project/edit-images.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { parseImageReference } from '../../domain/upgrade/image-reference.ts';
import { canGoBack, nodePath } from '../../domain/upgrade/node-path.ts';
import { parseRelease } from '../../domain/upgrade/release.ts';
import { applyGenerate } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { loadProject } from '../load-project.ts';
import type { ImageUse } from './check.ts';
import { lookAtDatabases } from './look.ts';
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
