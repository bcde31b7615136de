import type { Identity } from '../project/types.ts';
import type { ProvingSettings } from './observation.ts';

/** What a proof of this identity costs, as smesh.yaml sets it. */
export function provingSettings(identity: Identity): ProvingSettings {
  const { nonces, threads, pinnedCores, randomx, remoteK2pow, log } = identity;
  return {
    nonces,
    threads: threads ?? pinnedCores?.length ?? 0,
    randomx,
    ...(remoteK2pow === undefined ? {} : { remoteK2pow: remoteK2pow.url }),
    tellsGroups: /(?:^|,)(?:post::prove=)?(?:debug|trace)(?:,|$)/.test(log),
  };
}
