import { parse } from 'yaml';
import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../identity/smesher-id.ts';
import { LABEL } from './labels.ts';
import { POST_FOLDER } from './prover.ts';

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      labels: z.record(z.string(), z.unknown()).optional(),
      volumes: z.array(z.object({ source: z.string(), target: z.string() })).optional(),
    }),
  ),
});

/** Where a present compose.yaml has each identity's PoST data; of a file that is none of this tool's, nothing. */
export function servedData(composeText: string): ReadonlyMap<SmesherId, string> {
  const served = new Map<SmesherId, string>();
  const file = composeSchema.safeParse(parseYaml(composeText));
  for (const { labels, volumes } of Object.values(file.data?.services ?? {})) {
    if (labels?.[LABEL.role] !== 'prover') continue;
    const id = parseSmesherId(String(labels[LABEL.smesherId] ?? ''));
    const source = volumes?.find(({ target }) => target === POST_FOLDER)?.source;
    // Compose reads `$$` as one dollar.
    if (id !== undefined && source !== undefined) served.set(id, source.replaceAll('$$', '$'));
  }
  return served;
}

function parseYaml(text: string): unknown {
  try {
    // Every prover refers to the shared part, which is no attack with aliases.
    return parse(text, { merge: true, maxAliasCount: -1 });
  } catch {
    return undefined;
  }
}
