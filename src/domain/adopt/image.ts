import { DEFAULT_IMAGES, inspectImage } from '../node/images.ts';
import type { FoundProgram, NotExpressible } from './found.ts';

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
