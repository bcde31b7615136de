import { failureFindings } from '../gpu/failure-findings.ts';
import type { GpuVendor, InitialisationJob } from '../project/types.ts';
import type { JobState } from './job-state.ts';
import { missingBytes } from './queue.ts';

/** Who ended a job's process, as far as the engine tells. */
export type EndedBy =
  /** Itself, or the kernel. */
  | 'itself'
  /** `post stop`, `docker stop`, `docker kill`: somebody wanted it. */
  | 'somebody'
  /** The engine went away with it, or the host did. */
  | 'engine';

/** What is known of a job whose container does not run any more. */
export interface EndFacts {
  readonly job: InitialisationJob;
  readonly gpu: GpuVendor;
  readonly card: string;
  /** As the files are now. */
  readonly state: JobState;
  readonly endedBy: EndedBy;
  readonly oomKilled: boolean;
  readonly exitCode?: number;
  /** The engine could not start it. */
  readonly startError?: string;
  /** Errors and last words of its log. */
  readonly said: readonly string[];
  readonly freeBytes?: number;
}

/** Why a job is not done although its container has ended, and what to do. */
export interface JobEnd {
  readonly code: string;
  readonly why: string;
  readonly next: string;
  /** `again`: it is simply started again. `once`: one try more may help. `never`: somebody has to do something first. */
  readonly retry: 'again' | 'once' | 'never';
}

const AGAIN = 'smesh-compose post init --resume';
/** SIGKILL. */
const KILLED = 137;
/** What is written goes through a check per batch, so nothing before the fault is doubted by itself. */
const KEPT = 'What is written stays, and is gone on with.';

interface Known extends Omit<JobEnd, 'next' | 'why'> {
  readonly words: RegExp;
  readonly why: (facts: EndFacts) => string;
  readonly next: (facts: EndFacts) => string;
}

/** Words of postcli, its library, Go and the kernel, the surest first. */
const KNOWN: readonly Known[] = [
  {
    words: /no space left on device|disk quota exceeded/i,
    code: 'disk-full',
    retry: 'never',
    why: ({ job, state, freeBytes }) => {
      const short = missingBytes(state) - (freeBytes ?? 0);
      return `the disk of ${job.data} is full: ${bytes(Math.max(short, 0))} are missing`;
    },
    next: () => `Make room there, then: ${AGAIN}   ${KEPT}`,
  },
  {
    words: /read-only file system/i,
    code: 'read-only',
    retry: 'never',
    why: ({ job }) => `${job.data} has become read-only: the kernel does that to a disk with errors`,
    next: () =>
      `sudo dmesg | tail -50   tells why; look after the disk, mount it read-write, then: ${AGAIN}   ${KEPT}`,
  },
  {
    words: /input\/output error|stale file handle|transport endpoint is not connected/i,
    code: 'disk-error',
    retry: 'never',
    why: ({ job }) => `the disk of ${job.data} answers with errors`,
    next: () => `sudo dmesg | tail -50   and  sudo smartctl -a   tell more; then: ${AGAIN}   ${KEPT}`,
  },
  {
    words: /reference label mismatch/i,
    code: 'wrong-labels',
    retry: 'never',
    why: ({ card }) =>
      `${card} computes wrong labels: the last one of a batch was not what the processor computes. That batch was not written`,
    next: ({ job }) =>
      `Only the last label of each batch is compared, so earlier ones are not beyond doubt: smesh-compose post verify ${job.name}   Take away overclocking and undervolting, look after heat and memory of the card, or give the range to another (device in smesh.yaml), then: ${AGAIN}`,
  },
  {
    words: /GetPlatformIdsPlatformListUnavailable|failed to get OpenCL providers/i,
    code: 'no-opencl',
    retry: 'never',
    why: ({ card }) => `OpenCL finds no platform in the container: ${card} does not get into it`,
    next: () => `smesh-compose gpu list   says what is missing; then: ${AGAIN}`,
  },
  {
    words: /invalid provider ID/i,
    code: 'no-provider',
    retry: 'never',
    why: ({ job, card }) => `there is no provider ${job.provider ?? 0} in the container (${card})`,
    next: () =>
      `smesh-compose gpu list   shows which there are; a card that was there before has died or hangs (sudo dmesg | grep -i -e Xid -e amdgpu -e i915); then: ${AGAIN}`,
  },
  {
    words: /cannot allocate memory|out of memory|CL_OUT_OF_HOST_MEMORY/i,
    code: 'out-of-memory',
    retry: 'once',
    why: ({ card }) => `memory ran out, of the host or of ${card}`,
    next: () => `Free memory (another program on the card?), then: ${AGAIN}   ${KEPT}`,
  },
  {
    words: /permission denied|operation not permitted/i,
    code: 'permission',
    retry: 'never',
    why: ({ job, said }) => {
      const line = said.find((one) => /permission denied|operation not permitted/i.test(one)) ?? '';
      return /\/dev\//.test(line)
        ? `its user may not open the card: "${line}"`
        : `its user may not write to ${job.data}: "${line}"`;
    },
    next: ({ job, said }) =>
      said.some((one) => /\/dev\/.*(permission denied|not permitted)/i.test(one))
        ? `smesh-compose gpu list   says which group is missing; then: ${AGAIN}`
        : `The job runs as the owner of ${job.data}: give it all files in there (sudo chown -R), or set user in smesh.yaml; then: ${AGAIN}`,
  },
  {
    words: /inconsistent state|does not match the generated key|aborting/i,
    code: 'refused-by-postcli',
    retry: 'never',
    why: ({ job, said }) => `postcli refuses what lies in ${job.data}: "${said.at(-1) ?? ''}"`,
    next: ({ job }) =>
      `Is there a key or data of another identity in ${job.data}? Name another directory in smesh.yaml`,
  },
  {
    words:
      /config mismatch|flag provided but not defined|invalid range|invalid `opts|LIBPOST|version mismatch/i,
    code: 'refused-by-postcli',
    retry: 'never',
    why: ({ said }) =>
      `postcli refuses to begin: "${said.find((one) => !/^goroutine|^panic/.test(one)) ?? ''}"`,
    next: () =>
      'smesh.yaml (init.image, init.jobs) and postcli do not go together: take a named release of the image',
  },
  {
    words: /failed to compute labels|initialization (failed|error)|CL_|ocl|opencl/i,
    code: 'gpu-error',
    retry: 'once',
    why: ({ card, said }) =>
      `${card} failed: "${withoutPrefix(said.findLast((one) => /failed|error|CL_/i.test(one)) ?? said.at(-1) ?? '')}"`,
    next: ({ job }) =>
      `sudo dmesg | grep -i -e Xid -e amdgpu -e i915   tells whether it fell off the bus; a reset or a reboot brings it back. Another card can take ${job.fromFile === undefined ? 'the job' : 'this range'}: its device in smesh.yaml (init.jobs). Then: ${AGAIN}   ${KEPT}`,
  },
];

/** What stands before each fault of the kind. */
function withoutPrefix(words: string): string {
  return words.replace(/^cli: initialization error /, '');
}

/** `1.5 GiB` without the ui. */
function bytes(count: number): string {
  if (count >= 1024 ** 3) return `${(count / 1024 ** 3).toFixed(1)} GiB`;
  return count >= 1024 ** 2 ? `${(count / 1024 ** 2).toFixed(1)} MiB` : `${count} bytes`;
}

/**
 * Why a job that is not complete has ended. Its files decide whether it is complete, never its exit code, which is 0 for
 * most failures (spacemesh.md §8.1, §14.4).
 */
export function explainEnd(facts: EndFacts): JobEnd {
  const { job, state, endedBy, oomKilled, startError, said, exitCode } = facts;
  if (state.kind === 'away') return { code: 'away', why: state.why, next: state.next, retry: 'never' };
  if (state.kind === 'refused')
    return { code: state.code, why: state.message, next: state.hint, retry: 'never' };
  if (state.kind === 'odd-size') {
    return {
      code: 'odd-size',
      why: 'a file ends in the middle of a label, as after a power cut; gone on with as it is, all that follows would be misplaced',
      next: `Cut that piece off (less than 16 bytes) and go on: ${AGAIN} --repair`,
      retry: 'never',
    };
  }
  if (startError !== undefined) return explainStart(facts, startError);
  if (endedBy === 'engine') {
    return {
      code: 'engine-restarted',
      why: 'the engine was restarted, or the host was',
      next: `Go on: ${AGAIN}   ${KEPT}`,
      retry: 'again',
    };
  }
  if (oomKilled) {
    return {
      code: 'out-of-memory',
      why: 'the kernel ended it because memory ran out; jobs go before provers, and those before the node',
      next: `Free memory, then: ${AGAIN}   ${KEPT}`,
      retry: 'once',
    };
  }
  const text = said.join('\n');
  // Who was stopped says nothing of a fault; who had one before says it all the same.
  const known = KNOWN.find(({ words }) => words.test(text));
  if (known !== undefined && (endedBy !== 'somebody' || known.retry === 'never')) {
    return { code: known.code, why: known.why(facts), next: known.next(facts), retry: known.retry };
  }
  if (endedBy === 'somebody') {
    return {
      code: 'stopped',
      why: 'somebody stopped it',
      next: `Go on: ${AGAIN}   ${KEPT}`,
      retry: 'never',
    };
  }
  if (exitCode === KILLED) {
    return {
      code: 'killed',
      why: 'it was killed: by somebody, or with the engine or the host',
      next: `Go on: ${AGAIN}   ${KEPT}`,
      retry: 'once',
    };
  }
  const how = exitCode === undefined ? '' : ` with ${exitCode}`;
  return {
    code: 'ended',
    why: said.length === 0 ? `it ended${how} and said nothing` : `it ended${how}: "${said.at(-1)}"`,
    next: `docker compose logs ${job.name}   tells all it said; then: ${AGAIN}   ${KEPT}`,
    retry: 'once',
  };
}

/** The engine's words where a container did not even start. */
function explainStart({ job, gpu }: EndFacts, startError: string): JobEnd {
  // The number of the container tells nobody anything.
  const reason = startError.replace(/^Could not start \S+: /, '');
  if (reason.includes('bind source path does not exist') && reason.includes(job.data)) {
    return {
      code: 'away',
      why: `the engine does not see ${job.data}`,
      next: `Is the disk mounted where the engine runs? Then: ${AGAIN}`,
      retry: 'never',
    };
  }
  const [found] = failureFindings({
    vendor: gpu,
    look: { kind: 'failed', vendor: gpu, image: '', reason },
    isBuilt: false,
  });
  const isKnown = found !== undefined && found.code !== 'look-failed';
  return {
    code: isKnown ? found.code : 'not-started',
    why: isKnown ? found.message : `the engine could not start it: ${reason}`,
    next: `${isKnown && found.hint !== undefined ? `${found.hint}; then` : 'smesh-compose gpu list   looks into what it gets; then'}: ${AGAIN}`,
    retry: 'never',
  };
}
