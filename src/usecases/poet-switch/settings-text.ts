import { formatGoDuration } from '../../domain/project/duration.ts';
import { editPoet, type PoetChanges } from '../../domain/project/edit-poet.ts';
import type { PoetSettings } from '../../domain/project/types.ts';

/** The text of smesh.yaml with other PoET settings: only what differs is touched. */
export function textWith(text: string, present: PoetSettings, wanted: PoetSettings): string {
  const times = (['phaseShift', 'cycleGap', 'gracePeriod', 'positioningAtxTimeout'] as const).flatMap(
    (key) => (present[key] === wanted[key] ? [] : [[key, formatGoDuration(wanted[key])] as const]),
  );
  const changes: PoetChanges = { servers: wanted.servers, ...Object.fromEntries(times) };
  return editPoet(text, changes);
}
