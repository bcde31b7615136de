import { describe, expect, it } from 'vitest';
import { type EndFacts, explainEnd } from '../../../src/domain/post-init/explain-end.ts';
import { makeJob } from './support/jobs.ts';

const job = makeJob('/mnt/d1');

function end(changes: Partial<EndFacts> = {}) {
  return explainEnd({
    job,
    gpu: 'nvidia',
    card: 'card 0',
    state: { kind: 'unfinished', progress: { bytes: 1024 ** 3, expectedBytes: 4 * 1024 ** 3 } },
    endedBy: 'itself',
    oomKilled: false,
    exitCode: 0,
    said: [],
    ...changes,
  });
}

const ERROR = 'cli: initialization error';

describe('why a job ended, whatever its exit code', () => {
  it.each([
    [
      'disk-full',
      'never',
      `${ERROR} failed to write labels: write /post/postdata_1.bin: no space left on device`,
    ],
    ['read-only', 'never', `${ERROR} open /post/postdata_1.bin: read-only file system`],
    ['disk-error', 'never', `${ERROR} write /post/postdata_1.bin: input/output error`],
    [
      'wrong-labels',
      'never',
      `${ERROR} reference label mismatch at 12 with commitment ab: expected x, actual y`,
    ],
    [
      'no-opencl',
      'never',
      'error creating initializer: OclCoreError(ApiWrapper(GetPlatformIdsPlatformListUnavailable(10)))',
    ],
    ['no-provider', 'never', `${ERROR} failed to compute labels: initializing scrypter: invalid provider ID`],
    ['gpu-error', 'once', `${ERROR} failed to compute labels: initialization failed`],
    ['out-of-memory', 'once', 'fatal error: runtime: cannot allocate memory'],
    ['permission', 'never', `${ERROR} open /post/postdata_1.bin: permission denied`],
    ['refused-by-postcli', 'never', 'flag provided but not defined: -nope'],
    [
      'refused-by-postcli',
      'never',
      'WARNING: inconsistent state: identity.key file does not match metadata in /post',
    ],
    ['ended', 'once', 'something nobody has seen before'],
  ] as const)('%s', (code, retry, words) => {
    const found = end({ said: [words] });
    expect(found).toMatchObject({ code, retry });
    expect(found.next).toContain('smesh');
  });

  it('says how much room is missing', () => {
    expect(end({ said: ['no space left on device'], freeBytes: 1024 ** 3 }).why).toContain(
      '2.0 GiB are missing',
    );
  });

  it('tells a group that is missing from a folder of somebody else', () => {
    expect(end({ said: ['open /dev/dri/renderD128: permission denied'] }).next).toContain('gpu list');
    expect(end({ said: ['open /post/x: permission denied'] }).next).toContain('runs as the owner');
  });

  it('an engine or host that went away is no fault: it is started again', () => {
    expect(end({ endedBy: 'engine', exitCode: 1 })).toMatchObject({
      code: 'engine-restarted',
      retry: 'again',
    });
  });

  it('what a person stopped stays so, but a fault before that is said', () => {
    expect(end({ endedBy: 'somebody', exitCode: 1 })).toMatchObject({ code: 'stopped', retry: 'never' });
    expect(end({ endedBy: 'somebody', said: ['no space left on device'] }).code).toBe('disk-full');
    expect(end({ endedBy: 'somebody', said: ['failed to compute labels'] }).code).toBe('stopped');
  });

  it('memory, and a kill that nobody owns up to', () => {
    expect(end({ oomKilled: true, exitCode: 137 }).code).toBe('out-of-memory');
    expect(end({ exitCode: 137 })).toMatchObject({ code: 'killed', retry: 'once' });
  });

  it('the files speak first', () => {
    const away = { kind: 'away', why: 'is not there', next: 'mount it' } as const;
    expect(end({ state: away, said: ['no space left on device'] })).toMatchObject({ code: 'away' });
    const files = [{ path: '/x', size: 7, cutTo: 0 }];
    const odd = { kind: 'odd-size', progress: { bytes: 7, expectedBytes: 9 }, files } as const;
    expect(end({ state: odd }).next).toContain('--repair');
    const refused = {
      kind: 'refused',
      code: 'file-too-long',
      message: 'is longer',
      hint: 'move it',
    } as const;
    expect(end({ state: refused }).next).toBe('move it');
  });

  it('S26: what keeps a container from starting is said in the words of gpu list', () => {
    const start = (startError: string) => end({ startError });
    expect(start('could not select device driver "nvidia" with capabilities: [[gpu]]').code).toBe(
      'toolkit-missing',
    );
    expect(
      start(
        'error gathering device information while adding custom device "/dev/kfd": no such file or directory',
      ).code,
    ).toBe('kfd-not-handed');
    expect(
      start(`invalid mount config for type "bind": bind source path does not exist: ${job.data}`).code,
    ).toBe('away');
    expect(start('whatever').why).toContain('whatever');
  });
});
