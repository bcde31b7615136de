import { isDeepStrictEqual } from 'node:util';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Parsed } from '../../domain/node/reader.ts';
import type { Answer } from '../../ports/node-api.ts';
import type { NodeChannel } from './channel.ts';
import { failed } from './faults.ts';

/** The node gives at most 100 rows at a time; with two epochs asked for, 50 identities fill a page. */
const SMESHERS_PER_QUESTION = 50;
const ROWS_PER_PAGE = 100;

/** Rewards of one identity for years. */
const MOST_PAGES = 2000;

/** More questions at once only queue up inside the node, beside what it has to do. */
const QUESTIONS_AT_ONCE = 16;

export interface PagedQuestion<T> {
  /** `spacemesh.v2alpha1.ActivationService/List` */
  readonly method: string;
  readonly parse: (answer: unknown) => Parsed<readonly T[]>;
  /** For each page. */
  readonly timeoutMs: number;
}

/** All rows about these identities, each batch page after page. `request` makes the question for one batch. */
export async function askForAll<T extends { readonly smesher: SmesherId }>(
  channel: NodeChannel,
  question: PagedQuestion<T>,
  smeshers: readonly SmesherId[],
  request: (batch: readonly SmesherId[]) => object,
  batchSize = SMESHERS_PER_QUESTION,
): Promise<Answer<readonly T[]>> {
  const batches: SmesherId[][] = [];
  for (let at = 0; at < smeshers.length; at += batchSize) batches.push(smeshers.slice(at, at + batchSize));
  const answers: Answer<readonly T[]>[] = [];
  const queue = batches.entries();
  const work = async (): Promise<void> => {
    for (const [index, batch] of queue)
      answers[index] = await askPages(channel, question, batch, request(batch));
  };
  await Promise.all(Array.from({ length: QUESTIONS_AT_ONCE }, work));
  const found: T[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    found.push(...answer.value);
  }
  return { ok: true, value: found };
}

async function askPages<T extends { readonly smesher: SmesherId }>(
  channel: NodeChannel,
  { method, parse, timeoutMs }: PagedQuestion<T>,
  smeshers: readonly SmesherId[],
  request: object,
): Promise<Answer<readonly T[]>> {
  const found: T[] = [];
  const name = method.split('.').at(-1);
  let before: T | undefined;
  for (let pages = 1; ; pages += 1) {
    const asked = { ...request, offset: found.length, limit: ROWS_PER_PAGE };
    const page = await channel.ask(method, asked, parse, timeoutMs);
    if (!page.ok) return page;
    const stray = page.value.find(({ smesher }) => !smeshers.includes(smesher));
    if (stray !== undefined) {
      return failed({ kind: 'malformed', message: `${name}: not asked for ${stray.smesher}` });
    }
    const [first] = page.value;
    // One that does not know offsets would give its first page for ever.
    if (pages > MOST_PAGES || (first !== undefined && isDeepStrictEqual(first, before))) {
      return failed({ kind: 'malformed', message: `${name}: the list does not end` });
    }
    before = first;
    found.push(...page.value);
    if (page.value.length < ROWS_PER_PAGE) return { ok: true, value: found };
  }
}
