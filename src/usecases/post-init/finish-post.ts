import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { type FinishedIdentity, takeIn } from './finish-jobs.ts';

/**
 * What comes after whole data: its labels can be checked, and the identities taken into the project. A person is asked;
 * with `--yes` they are taken in, and where nobody can be asked it is said what to type.
 */
export async function finishPost(context: Context, finished: readonly FinishedIdentity[]): Promise<number> {
  if (finished.length === 0 || context.json) return ExitCode.ok;
  const names = finished.map(({ name }) => name);
  const many = finished.length > 1;
  const later = [
    `  check a sample of the labels:  smesh-compose post verify ${names.join(' ')}`,
    `  ${`take ${many ? 'them' : 'it'} into the project:`.padEnd(30)} smesh-compose add ${finished.map(({ data }) => quoteForShell(data)).join(' ')}`,
  ];
  context.out.note([`The data of ${enumerate(names)} is whole. What comes next:`, ...later].join('\n'));
  const canAsk = context.out.interactive && !context.yes;
  if (!canAsk && !context.yes) return ExitCode.ok;
  const yes =
    context.yes ||
    (await context.ports.prompt.confirm({
      message: `Take ${many ? 'them' : 'it'} into the project now?`,
      explanation:
        'A card that computes wrong labels makes data that no proof can be made from: post verify finds out before the network does.',
      flag: '--yes',
      initial: true,
    }));
  return yes ? takeIn(context, finished, { dryRun: false }) : ExitCode.ok;
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
