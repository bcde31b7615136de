import { DEFAULT_IMAGES, inspectImage } from '../node/images.ts';
import type { FoundProgram, NotExpressible } from './found.ts';

/** What a service is given as image whose file builds one. */
export const builtHere = (service: string) => `${service} (built here)`;
const BUILT = / \(built here\)$/;

const PROGRAM = { node: 'go-spacemesh', prover: 'post-service' } as const;
const OFFICIAL = { node: /(^|\/)go-spacemesh[^/]*$/, prover: /(^|\/)post-service[^/]*$/ } as const;

/**
 * The image that smesh.yaml names for what was found: the same where that names a release, its digest where its tag
 * moves and a registry knows it, else a release that is tested; then it says so.
 */
export function imageFor(
  program: FoundProgram,
  role: 'node' | 'prover',
): { readonly image: string; readonly left: readonly NotExpressible[] } {
  const { image, imageDigest, name } = program;
  const left = (value: string, meaning: string): NotExpressible[] => [
    { service: name, key: 'image', value, meaning },
  ];
  const otherwise = DEFAULT_IMAGES[role];
  if (image === undefined || image === '')
    return { image: otherwise, left: left('(none: a bare process)', `becomes ${otherwise}`) };
  if (BUILT.test(image))
    return { image: otherwise, left: left(image, `becomes ${otherwise}: no image is built here`) };
  // Another image may start it by a program of its own, and then not take these arguments.
  if (!OFFICIAL[role].test(image.split('@')[0] ?? ''))
    return { image: otherwise, left: left(image, `is no image of ${PROGRAM[role]}: becomes ${otherwise}`) };
  const faults = inspectImage(image).filter(({ severity }) => severity === 'error');
  if (faults.length === 0) return { image, left: [] };
  const moves = /:latest$/.test(image) || !/:[^/]+$/.test(image);
  if (
    moves &&
    imageDigest !== undefined &&
    inspectImage(imageDigest).every(({ severity }) => severity !== 'error')
  )
    return {
      image: imageDigest,
      left: left(image, 'its tag moves: the very image that runs is named by its digest'),
    };
  return {
    image: otherwise,
    left: left(image, `${faults[0]?.message ?? 'cannot be used'}; becomes ${otherwise}`),
  };
}
