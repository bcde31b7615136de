import { jobPassthrough } from '../../domain/compose/init-jobs.ts';
import type { Passthrough } from '../../domain/compose/passthrough.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type InsideFacts, LOOK_INSIDE, parseInside } from '../../domain/gpu/inside.ts';
import type { VendorLook } from '../../domain/gpu/judged.ts';
import { parseProviders, saysNoOpenCl } from '../../domain/gpu/providers.ts';
import type { InsideLook } from '../../domain/gpu/report.ts';
import type { InitialisationSettings } from '../../domain/project/types.ts';
import type { HelperResult } from '../../ports/docker.ts';
import type { Context } from '../context.ts';
import { gpuGroups, readGpuFragment } from '../gpu-inputs.ts';
import { withIcd } from './nvidia-icd.ts';

/** postcli waits 20 s for OpenCL where there is none, and a card that sleeps takes seconds. */
const POSTCLI_MS = 60_000;
const LOOK_MS = 30_000;

/** Drivers start threads and map much for each card. */
const MOST_PROCESSES = 1024;
const MEMORY_BYTES = 4 * 1024 ** 3;

/**
 * What postcli and OpenCL see in a container with the passthrough of a job with these settings. Nothing is pulled, built
 * or left behind.
 *
 * @param user what the job runs as
 * @param environment what jobs have in theirs beside what is emitted
 */
export async function lookInside(
  context: Context,
  settings: InitialisationSettings,
  user: { readonly uid: number; readonly gid: number },
  environment: Readonly<Record<string, string>>,
): Promise<VendorLook> {
  const vendor = settings.gpu;
  const { image, isBuilt, passthrough } = jobPassthrough(settings, {
    directory: context.directory,
    fragment: await readGpuFragment(context, vendor),
    groups: await gpuGroups(context, vendor),
  });
  const docker = await context.ports.docker();
  try {
    if ((await docker.image(image)) === undefined) {
      const why = `the image ${image} is not here`;
      return { vendor, isBuilt, look: { kind: 'not-asked', why, vendor, image } };
    }
    // Without any OpenCL platform it takes 20 s: nobody shall think that nothing happens.
    context.out.note(`Asking postcli in a container of ${image} …`);
    const [providers, facts] = await withIcd(context, passthrough, (mounted: Passthrough) => {
      const helper = {
        image,
        user: `${user.uid}:${user.gid}`,
        mounts: [],
        passthrough: { ...mounted, environment: { ...mounted.environment, ...environment } },
        mostProcesses: MOST_PROCESSES,
        memoryBytes: MEMORY_BYTES,
        signal: context.signal,
      };
      return Promise.all([
        docker.runHelper({
          ...helper,
          command: ['-printProviders'],
          keepEntrypoint: true,
          timeoutMs: POSTCLI_MS,
        }),
        docker.runHelper({ ...helper, command: ['bash', '-c', LOOK_INSIDE], timeoutMs: LOOK_MS }),
      ]);
    });
    const inside = insideOf(facts);
    const look = answerOf(providers, { vendor, image }, inside);
    return { vendor, isBuilt, look, ...(inside === undefined ? {} : { inside }) };
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment) throw error;
    return { vendor, isBuilt, look: { kind: 'failed', vendor, image, reason: error.message } };
  }
}

function insideOf(result: HelperResult): InsideFacts | undefined {
  return result.kind === 'ended' && result.exitCode === 0 ? parseInside(result.stdout) : undefined;
}

function answerOf(
  result: HelperResult,
  what: Pick<Extract<InsideLook, { kind: 'asked' }>, 'vendor' | 'image'>,
  inside: InsideFacts | undefined,
): InsideLook {
  switch (result.kind) {
    case 'not-started':
      return { ...what, kind: 'failed', reason: result.reason };
    case 'timed-out':
      return { ...what, kind: 'failed', reason: `no answer within ${POSTCLI_MS / 1000} s` };
    case 'ended': {
      const providers = parseProviders(result.stdout);
      if (result.exitCode === 0 && providers.length > 0) {
        const platforms = inside?.platforms;
        return { ...what, kind: 'asked', providers, ...(platforms === undefined ? {} : { platforms }) };
      }
      const words = `${result.stderr}\n${result.stdout}`.trim().split('\n');
      const line = words.find(saysNoOpenCl) ?? words.at(-1) ?? '';
      return { ...what, kind: 'failed', reason: line === '' ? `exit ${result.exitCode}` : line };
    }
  }
}
