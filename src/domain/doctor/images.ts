import { type ImageCombination, judgeCombination } from '../node/combinations.ts';
import { inspectImage } from '../node/images.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { several } from './words.ts';

/** A service as the project wants it, and what runs. */
export interface ServiceImages {
  readonly service: string;
  readonly wanted: string;
  /** ID of the image that the wanted name has on the engine now. */
  readonly wantedId?: string;
  /** Name and ID of the container's image, where there is one. */
  readonly present?: { readonly image: string; readonly imageId: string; readonly running: boolean };
}

const NEXT = 'smesh-compose plan   shows what up would replace and what it costs';

/** Decides what is wrong with the images of a project, as wanted and as they run (spacemesh.md §3.6; S24). */
export function judgeImages(
  services: readonly ServiceImages[],
  combination: ImageCombination,
): readonly DoctorFinding[] {
  const wanted = [...new Set(services.map((service) => service.wanted))];
  const all = [
    ...new Set([
      ...wanted,
      ...(combination.initialisation === undefined ? [] : [combination.initialisation]),
    ]),
  ];
  const found: DoctorFinding[] = all.flatMap((image) => judgeName(image, users(services, image)));
  for (const { severity, images, message, next } of judgeCombination(combination)) {
    found.push(
      finding('image-combination', { severity, message, evidence: images.join(', '), remedy: next }),
    );
  }
  found.push(...judgeRunning(services, new Set(all)));
  if (found.length > 0) return found;
  return [
    finding('images-ok', {
      message: 'The images fit together and none is known to be broken',
      evidence: all.join(', '),
      measured: { images: all.length },
    }),
  ];
}

function users(services: readonly ServiceImages[], image: string): string {
  const names = services.filter(({ wanted }) => wanted === image).map(({ service }) => service);
  return names.length === 0 ? 'initialisation' : several(names);
}

function judgeName(image: string, subject: string): readonly DoctorFinding[] {
  return inspectImage(image).map(({ severity, message }) =>
    finding(severity === 'error' ? 'image-broken' : 'image-doubtful', {
      subject,
      message,
      evidence: image,
      remedy:
        'Name another release in smesh.yaml (or in the override file that brought it), then: smesh-compose plan',
    }),
  );
}

function judgeRunning(
  services: readonly ServiceImages[],
  judged: ReadonlySet<string>,
): readonly DoctorFinding[] {
  const differs = new Map<string, ServiceImages[]>();
  const moved: ServiceImages[] = [];
  for (const service of services) {
    const { present, wanted, wantedId } = service;
    if (present === undefined) continue;
    if (present.image !== wanted) {
      const key = `${present.image} ${wanted}`;
      differs.set(key, [...(differs.get(key) ?? []), service]);
    } else if (wantedId !== undefined && present.imageId !== wantedId) moved.push(service);
  }
  const found = [...differs.values()].flatMap((group) => {
    const [first] = group;
    if (first?.present === undefined) return [];
    const { image } = first.present;
    const subject = several(group.map(({ service }) => service));
    return [
      finding('image-differs', {
        subject,
        message: 'The container has another image than the project says; the next up replaces it',
        evidence: `container ${image}, project ${first.wanted}`,
        measured: { container: image, project: first.wanted, services: group.length },
        remedy: NEXT,
      }),
      // What runs may be broken although what is wanted is not.
      ...(judged.has(image) ? [] : judgeName(image, subject)),
    ];
  });
  if (moved.length > 0) {
    found.push(
      finding('image-moved', {
        subject: several(moved.map(({ service }) => service)),
        message:
          'The name of the image now stands for another image than the one that runs; the next up replaces it',
        evidence: `${moved[0]?.wanted}: runs ${short(moved[0]?.present?.imageId)}, here now ${short(moved[0]?.wantedId)}`,
        measured: { services: moved.length },
        remedy: NEXT,
      }),
    );
  }
  return found;
}

function short(id: string | undefined): string {
  return (id ?? '').replace(/^sha256:/, '').slice(0, 12);
}
