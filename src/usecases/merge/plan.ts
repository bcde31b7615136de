import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type Arrivals, findArrivals, newIdentities } from '../../domain/merge/arrivals.ts';
import type { MergeFacts } from '../../domain/merge/facts.ts';
import { judgeMerge } from '../../domain/merge/judge.ts';
import { type SourceRecord, sourceRecord } from '../../domain/merge/swap-steps.ts';
import { describeFinding, type Finding } from '../../domain/plan/findings.ts';
import { addIdentities } from '../../domain/project/edit.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Context } from '../context.ts';
import { type GeneratePlan, planGenerate } from '../generate.ts';
import type { LoadedProject } from '../load-project.ts';

/** All that will be done, decided and refused before anything is. */
export interface MergePlan extends Arrivals {
  readonly facts: MergeFacts;
  readonly text: string;
  readonly records: readonly SourceRecord[];
  /** smesh.yaml as it will be. */
  readonly after: string;
  readonly generate: GeneratePlan;
}

/** Decides it all, and throws everything that stands in the way. Reads only. */
export async function planMerge(
  context: Context,
  loaded: LoadedProject,
  facts: MergeFacts,
  options: { readonly force: boolean },
): Promise<MergePlan> {
  const findings = judgeMerge(facts);
  if (findings.length > 0) throw refusal(findings);
  const found = findArrivals(facts);
  const after = addIdentities(loaded.text, newIdentities(found.arrivals));
  const { project } = requireProject(after, { directory: context.directory });
  const generate = await planGenerate(context, {
    project,
    text: after,
    keyPlaces: [],
    repairKeys: false,
    force: options.force,
    arriving: new Map(found.arrivals.map(({ smesherId, keyFile }) => [smesherId, keyFile])),
  });
  const taken = new Set<string>();
  for (const { folder } of facts.sources) {
    const entries = await context.ports.files.list(`${folder}/identities`).catch(() => []);
    for (const { name } of entries) taken.add(`${folder}/identities/${name}`);
  }
  const place = { name: project.name, directory: context.directory };
  const records = facts.sources.map((source) => sourceRecord(source, place, taken));
  return { ...found, facts, records, after, generate, text: loaded.text };
}

/** All that stands in the way, not just the first of it: a person wants to clear it up in one go. */
function refusal(findings: readonly Finding[]): SmeshError {
  const [first, ...others] = findings;
  const refused = findings.some(({ kind }) => kind === 'refused');
  const environment = findings.some(({ kind }) => kind === 'environment');
  const exitCode = refused ? ExitCode.refused : environment ? ExitCode.environment : ExitCode.invalid;
  if (first === undefined) throw new Error('nothing to refuse');
  if (others.length === 0)
    return new SmeshError(
      first.code,
      exitCode,
      `Not merged: ${describeFinding(first)}. Nothing was changed.`,
      { hint: first.next },
    );
  return new SmeshError(
    'not-merged',
    exitCode,
    `Not merged: ${findings.length} things stand in the way. Nothing was changed.`,
    {
      details: findings.flatMap((finding) => [describeFinding(finding), `  → ${finding.next}`]),
      facts: { findings },
    },
  );
}
