import { ExitCode } from '../domain/errors.ts';
import { type Verification, verify } from '../domain/verification/judge.ts';
import { renderVerification, verificationDocument } from '../ui/verification.ts';
import { chooseIdentities } from '../usecases/choose-identities.ts';
import { loadProject } from '../usecases/load-project.ts';
import { type Evidence, gatherEvidence } from '../usecases/verify/gather.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { durationOption, flagOption } from './options.ts';

const DEFAULT_TIMEOUT_MS = 3000;

/**
 * `verify`: is it right, will I be paid? Changes nothing and needs no lock.
 *
 * Exit codes, for cron: 0 as far as is known every identity is paid, or as far on its way as it can be; 3 something costs
 * rewards; 6 of some identity it cannot be told whether it is paid; 4 the engine cannot be asked. Warnings do not count.
 */
export const verifyCommand = defineCommand({
  name: 'verify',
  summary: 'is it right, will I be paid: key, data, node, PoET, ATX, eligible layers, rewards',
  description:
    'Compares what engine, node, post-services, files and the database say about each identity, and tells for this epoch and the next two whether it earns and what decides it. Exit code 3: something costs rewards, 6: of some identity it cannot be told, 4: Docker cannot be asked. With --json the document described in docs/reference/verify-json.md.',
  arguments: [{ name: '[identities...]', summary: 'names, or first digits of smesher IDs; without: all' }],
  options: [
    { flags: '-a, --all', summary: 'every check with what it is known from; so also with names' },
    { flags: '--timeout <duration>', summary: 'for each question to node and services (default: 3s)' },
  ],
  examples: [
    { command: 'smesh-compose verify', summary: 'a sentence per identity, and what to do' },
    { command: 'smesh-compose verify post-0002', summary: 'all that is known of one' },
    {
      command: 'smesh-compose verify --json || mail …',
      summary: 'from cron: exit code 3 means that rewards are lost',
    },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const timeoutMs = durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS;
  const { project } = await loadProject(context);
  const names = invocation.arguments;
  const chosen = chooseIdentities(project, names);
  const evidence = await gatherEvidence(context, project, chosen, timeoutMs);
  const verification = verify(evidence.project, evidence.identities);
  const exitCode = exitCodeOf(verification, evidence);
  const { out, json } = context;
  if (json) {
    out.json(verificationDocument(verification, { at: evidence.project.now, name: project.name, exitCode }));
  } else {
    const all = flagOption(invocation, 'all') || names.length > 0;
    const view = { columns: out.columns, color: out.color, all };
    out.result(renderVerification(verification, project, view).join('\n'));
  }
  return exitCode;
}

function exitCodeOf({ verdict }: Verification, { engineFault }: Evidence): number {
  if (verdict === 'costs-rewards') return ExitCode.invalid;
  if (engineFault !== undefined) return ExitCode.environment;
  return verdict === 'unknown' ? ExitCode.unhealthy : ExitCode.ok;
}
