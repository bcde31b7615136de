import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { verifyPlaces } from '../post-verify/verify.ts';
import { type FinishedIdentity, takeIn } from './finish-jobs.ts';

/** Percent: some thousand labels of each file of mainnet, which takes minutes; a thorough sample takes hours. */
const FIRST_LOOK = 0.001;

/**
 * What comes after whole data: a first look at its labels, then the identities are taken into the project. A person is
 * asked; with `--yes` they are taken in, and where nobody can be asked it is said what to type. With wrong labels nothing is
 * taken in (exit 3). Where labels cannot be read now (the cycle gap, somebody reads that disk) that is said.
 */
export async function finishPost(context: Context, finished: readonly FinishedIdentity[]): Promise<number> {
  if (finished.length === 0 || context.json) return ExitCode.ok;
  const names = finished.map(({ name }) => name);
  const many = finished.length > 1;
  const later = [
    `  check more of the labels:      smesh-compose post verify ${names.join(' ')}`,
    `  ${`take ${many ? 'them' : 'it'} into the project:`.padEnd(30)} smesh-compose add ${finished.map(({ data }) => quoteForShell(data)).join(' ')}`,
  ];
  context.out.note([`The data of ${enumerate(names)} is whole. What comes next:`, ...later].join('\n'));
  if ((await lookAtLabels(context, finished)) === 'wrong') {
    context.out.note('Nothing was taken into the project; keys and data stay as they are.');
    return ExitCode.invalid;
  }
  const canAsk = context.out.interactive && !context.yes;
  if (!canAsk && !context.yes) return ExitCode.ok;
  const yes =
    context.yes ||
    (await context.ports.prompt.confirm({
      message: `Take ${many ? 'them' : 'it'} into the project now?`,
      explanation:
        'A card that computes wrong labels makes data that no proof can be made from. The first look reads few of them; post verify reads more.',
      flag: '--yes',
      initial: true,
    }));
  return yes ? takeIn(context, finished, { dryRun: false }) : ExitCode.ok;
}

async function lookAtLabels(
  context: Context,
  finished: readonly FinishedIdentity[],
): Promise<'wrong' | 'nothing-found'> {
  try {
    const { wrongLabels } = await verifyPlaces(context, {
      words: finished.map(({ data }) => data),
      fraction: FIRST_LOOK,
      files: {},
      structureOnly: false,
      last: false,
      dryRun: false,
    });
    return wrongLabels ? 'wrong' : 'nothing-found';
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode === ExitCode.cancelled) throw error;
    context.out.warn(`The labels were not looked at: ${error.message}`);
    return 'nothing-found';
  }
}

/** An error, with what has come to its end all the same. */
export function withWhole(error: SmeshError, finished: readonly FinishedIdentity[]): SmeshError {
  const { code, exitCode, message, hint } = error;
  const whole = finished.map(
    ({ name, data }) =>
      `${name}: the data in ${data} is whole. Take it in: smesh-compose add ${quoteForShell(data)}`,
  );
  const details = [...error.details, ...whole];
  return new SmeshError(code, exitCode, message, {
    ...{ details, cause: error },
    ...(hint === undefined ? {} : { hint }),
  });
}
