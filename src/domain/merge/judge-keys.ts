import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import type { Finding } from '../plan/findings.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { MergeFacts, MergeSource } from './facts.ts';

/** Whether the key files of a node are what can be brought in: each one usable, each once, none taken away before. */
export function judgeKeys(facts: MergeFacts, source: MergeSource): readonly Finding[] {
  const { folder, keys, faulty, movedTo, unfinished } = source;
  const findings: Finding[] = faulty.map(({ file, fault }) => ({
    code: 'source-key-faulty',
    severity: 'error',
    kind: 'invalid',
    message: `${file}: ${fault}`,
    evidence: `${folder}/identities`,
    next: `Merging is all or nothing. Repair it, or move it out of the folder (keep it!): mv ${quoteForShell(`${folder}/identities/${file}`)} ${quoteForShell(`${folder}/identities/${file}.aside`)}`,
  }));
  if (unfinished !== undefined) findings.push(halfDone(folder, unfinished));
  findings.push(...twice(source), ...retiredWithoutData(facts, source));
  // A key.bin beside its data is an original: it stays there when its node is merged.
  const standing = keys.filter(({ where }) => where === 'identities');
  if (movedTo !== undefined && standing.length > 0) {
    findings.push(
      refusal(
        'keys-came-back',
        `Its keys were moved to project ${movedTo.name} (${movedTo.directory}), and now keys stand here again`,
        folder,
        'Find out which of the two has them: an identity in both is lost for ever. Keys of that project move away from here (keep them!)',
      ),
    );
  } else if (movedTo !== undefined) {
    findings.push(
      refusal(
        'merged-elsewhere',
        `Its keys were moved to project ${movedTo.name} (${movedTo.directory}) on ${movedTo.at.slice(0, 10)}`,
        folder,
        movedTo.directory === facts.directory
          ? 'They are here already'
          : `Go on there, or take it back there first: smesh-compose -C ${quoteForShell(movedTo.directory)} merge --undo`,
      ),
    );
  } else if (keys.length === 0 && faulty.length === 0 && unfinished === undefined) {
    findings.push({
      code: 'no-identities',
      severity: 'error',
      kind: 'invalid',
      message: 'There is no key in it, so there is nothing to merge',
      evidence: `${folder}/identities`,
      next: 'Name the data folder of a node. Keys of releases before 1.4 lie in the PoST directory (key.bin): name its config, which says where that is: --config FILE',
    });
  }
  return findings;
}

/** What keeps that node from starting must not be taken for a damaged key: without it, it starts with half of a merge. */
function halfDone(folder: string, { directory }: { readonly directory?: string }): Finding {
  return refusal(
    'source-unfinished',
    'A merge into this node was interrupted, and it is neither before nor after it',
    `${folder}/identities`,
    `Let that be finished first, in its project: smesh-compose -C ${directory === undefined ? 'PROJECT' : quoteForShell(directory)} generate   Leave the file that keeps the node from starting where it is`,
  );
}

/** Brought in under two names the project's node would refuse to start (`duplicate key found`, spacemesh.md §2.1). */
function twice({ folder, keys }: MergeSource): readonly Finding[] {
  const files = new Map<SmesherId, string[]>();
  for (const { smesherId, path } of keys)
    files.set(smesherId, [...(files.get(smesherId) ?? []), path.slice(path.lastIndexOf('/') + 1)]);
  return [...files]
    .filter(([, names]) => names.length > 1)
    .map(([id, names]): Finding => {
      const last = names.at(-1) ?? '';
      const path = `${folder}/identities/${last}`;
      return {
        code: 'source-key-twice',
        severity: 'error',
        kind: 'invalid',
        message: `The key of ${shortId(id)} stands in it more than once (${names.join(', ')}), and a node refuses that`,
        evidence: `${folder}/identities`,
        next: `Move all but one of them out of the folder (keep them!): mv ${quoteForShell(path)} ${quoteForShell(`${path}.aside`)}`,
      };
    });
}

/** The key of an identity that smesh.yaml has under `retired` is taken out of the node by every `generate`. */
function retiredWithoutData(
  { project, data }: MergeFacts,
  { folder, keys }: MergeSource,
): readonly Finding[] {
  const listed = new Set(project.identities.map(({ id }) => id));
  const retired = new Set(project.retired.map(({ id }) => id));
  return keys
    .filter(
      ({ smesherId }) =>
        retired.has(smesherId) && !listed.has(smesherId) && data.get(smesherId)?.kind !== 'ready',
    )
    .map(({ smesherId }) =>
      refusal(
        'retired-without-data',
        `${shortId(smesherId)} was removed from this project, and its PoST data is not found: its history would come, and its key be taken out of the node again`,
        folder,
        'Let its data be found (is its disk mounted? --data ROOT), or take it out of retired in smesh.yaml; then merge again',
      ),
    );
}

export function refusal(code: string, message: string, evidence: string, next: string): Finding {
  return { code, severity: 'error', kind: 'refused', message, evidence, next };
}
