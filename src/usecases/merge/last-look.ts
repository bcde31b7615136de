import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { UNFINISHED_NOTICE_NAME } from '../../domain/merge/moved-notice.ts';
import type { Context } from '../context.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { readInstalledKeys } from '../node-keys.ts';
import { databaseMark } from './database-mark.ts';
import { lookAtAll } from './observe.ts';
import type { MergePlan } from './plan.ts';

export interface LookedAt {
  readonly plan: MergePlan;
  /** smesh.yaml as it was read. */
  readonly text: string;
  /** How each folder's database was when it was copied. */
  readonly marks: ReadonlyMap<string, string>;
}

/**
 * Both nodes are kept from starting now: whoever is inside was so before, and what is in the databases stays. Between the
 * plan and this somebody may have thought for an hour about the question.
 */
export async function lastLook(context: Context, { plan, text, marks }: LookedAt): Promise<void> {
  const { facts } = plan;
  const reasons = [...(await lookAtAll(context, facts)).flat()];
  for (const [folder, mark] of marks)
    if ((await databaseMark(context, folder)) !== mark)
      reasons.push(`${folder}/local.sql was written since it was copied`);
  const changes = [...(await changedKeys(context, plan)), ...(await changedProject(context, text))];
  context.signal.throwIfAborted();
  if (reasons.length > 0)
    throw new SmeshError(
      'node-came-up',
      ExitCode.refused,
      'Not merged: a node was started meanwhile. Nothing was changed.',
      { details: [...new Set([...reasons, ...changes])], hint: 'Stop it for good, then merge again.' },
    );
  if (changes.length > 0)
    throw new SmeshError(
      'changed-meanwhile',
      ExitCode.refused,
      'Not merged: it is not any more as it was when you were asked. Nothing was changed.',
      { details: changes, hint: 'Merge again: it looks at everything anew.' },
    );
}

/** A key nobody looked at would stay behind, or stand in the way of one that comes; two merges of one node meet here. */
async function changedKeys(context: Context, { facts, records }: MergePlan): Promise<readonly string[]> {
  const name = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  const folders = [
    {
      folder: `${facts.project.node.data}/identities`,
      expected: [...facts.installed.map(({ file }) => file), UNFINISHED_NOTICE_NAME],
    },
    ...records.map(({ folder, keys, notice }) => ({
      folder: `${folder}/identities`,
      expected: [...keys.map(({ from }) => name(from)), name(notice)],
    })),
  ];
  const changes = await Promise.all(
    folders.map(async ({ folder, expected }) => {
      const present = (await readInstalledKeys(context, folder)).map(({ file }) => file);
      return [
        ...present.filter((file) => !expected.includes(file)).map((file) => `${folder}/${file} is new`),
        ...expected.filter((file) => !present.includes(file)).map((file) => `${folder}/${file} is gone`),
      ];
    }),
  );
  return changes.flat();
}

/** What was written there in an editor meanwhile would be overwritten. */
async function changedProject(context: Context, text: string): Promise<readonly string[]> {
  const path = `${context.directory}/${PROJECT_FILE}`;
  return (await context.ports.files.readTextIfPresent(path)) === text ? [] : [`${path} was changed`];
}
