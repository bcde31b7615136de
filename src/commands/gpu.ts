import { ExitCode, SmeshError } from '../domain/errors.ts';
import { gpusDocument, renderGpus } from '../ui/gpu.ts';
import { lookAtGpus } from '../usecases/gpu/look-at-gpus.ts';
import { loadProjectIfPresent } from '../usecases/load-project.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';

/**
 * `gpu list`: the cards of this host beside what postcli is offered inside a job's container.
 *
 * Exit codes: 0 all that could be asked is well (also without any card), 3 a card cannot be used inside, 4 Docker cannot
 * be asked; the host's part is told all the same.
 */
export const gpuCommand = defineCommand({
  name: 'gpu',
  summary: 'graphics cards of this host, and what postcli sees of them inside a container',
  description:
    'list: finds cards of NVIDIA, AMD and Intel by device nodes, sysfs and nvidia-smi, asks postcli in a throw-away container with the passthrough of an initialisation job what it is offered, and says why where the two differ. Changes nothing, pulls and builds no image. Exit code 3: a card cannot be used inside; 4: Docker cannot be asked.',
  arguments: [{ name: '[action]', summary: '`list` (the default)' }],
  options: [],
  examples: [
    { command: 'smesh-compose gpu list', summary: 'before post init' },
    { command: 'smesh-compose gpu list --json', summary: 'cards, providers and findings as data' },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const [action = 'list', ...more] = invocation.arguments;
  if (action !== 'list' || more.length > 0) {
    throw new SmeshError(
      'bad-action',
      ExitCode.usage,
      `gpu knows no ${JSON.stringify(action === 'list' ? more.join(' ') : action)}; there is only: gpu list`,
    );
  }
  const loaded = await loadProjectIfPresent(context);
  const report = await lookAtGpus(context, loaded?.project);
  if (context.json) context.out.json(gpusDocument(report));
  else context.out.result(renderGpus(report, context.out).join('\n'));
  if (report.engine !== undefined) return ExitCode.environment;
  return report.findings.some(({ severity }) => severity === 'error') ? ExitCode.invalid : ExitCode.ok;
}
