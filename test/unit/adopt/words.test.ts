import { describe, expect, it } from 'vitest';
import { programOfDockerRun } from '../../../src/domain/adopt/docker-run.ts';
import { shownValue } from '../../../src/domain/adopt/found.ts';
import { foundRole, isProverCommand } from '../../../src/domain/adopt/role.ts';
import { expand, parseFlags, shellCommands, unrollShell } from '../../../src/domain/adopt/words.ts';

describe('command lines', () => {
  it('reads quotes, continuations, comments, pipes and redirections', () => {
    const text = `#!/bin/bash
cd ~/spacemesh/ # there
./post-service --dir "./smh 01" --address 'http://192.168.1.6:9094' \\
  --threads 0 > >(tee -a ./smh01.log) 2>&1 &
PID=$!`;
    expect(shellCommands(text)).toEqual([
      ['cd', '~/spacemesh/'],
      ['./post-service', '--dir', './smh 01', '--address', 'http://192.168.1.6:9094', '--threads', '0'],
      ['PID=$!'],
    ]);
  });

  it('fills in variables that are known and leaves the others', () => {
    expect(expand(`$A \${B:-two} \${A:?needed} $C \${D}`, { A: 'one' })).toBe(`one two one $C \${D}`);
  });

  it('looks into a shell for the program that it starts', () => {
    const words = ['/bin/sh', '-c', `sleep 5 && exec ./post-service --dir=$DIR --threads \${THREADS:-4}`];
    expect(unrollShell(words, { DIR: '/post' }, isProverCommand)).toEqual([
      'exec',
      './post-service',
      '--dir=/post',
      '--threads',
      '4',
    ]);
    expect(unrollShell(['post-service', '-c'], {}, isProverCommand)).toEqual(['post-service', '-c']);
  });

  it('takes flags in every spelling, and the last of several', () => {
    const spec = {
      known: new Set(['dir', 'n', 'threads']),
      switches: new Set(['quick']),
      short: { d: 'dir', n: 'n' },
    };
    const { values, unknown } = parseFlags(
      [
        'x',
        '-d',
        '/a',
        '-n=16',
        '--threads=1',
        '--threads',
        '2',
        '--quick',
        '--odd',
        'value',
        '--odder',
        '--dir',
        '/b',
      ],
      spec,
    );
    expect(Object.fromEntries(values)).toEqual({ dir: '/b', n: '16', threads: '2', quick: 'true' });
    expect(unknown).toEqual([
      { flag: '--odd', value: 'value' },
      { flag: '--odder', value: '' },
    ]);
  });
});

describe('docker run', () => {
  it('is read as the container that it makes', () => {
    const [words = []] = shellCommands(`docker run -dit --name=smh-post-01 --net=spacemesh -e TZ=UTC \\
      -v /mnt/user/spacemesh/post-01/:/root/post/ -p 127.0.0.1:9100:9100 --restart=unless-stopped -m 3g \\
      spacemeshos/post-service:v0.7.13 --dir /root/post --address http://smh-node-01:9094 --threads 0`);
    const program = programOfDockerRun(words, { file: 'up.sh', directory: '/srv' });
    expect(program).toMatchObject({
      name: 'smh-post-01',
      image: 'spacemeshos/post-service:v0.7.13',
      environment: { TZ: 'UTC' },
      memoryBytes: 3 * 1024 ** 3,
      mounts: [{ kind: 'bind', source: '/mnt/user/spacemesh/post-01', target: '/root/post', writable: true }],
      ports: [{ containerPort: 9100, hostPort: 9100, hostAddress: '127.0.0.1', protocol: 'tcp' }],
      words: ['--dir', '/root/post', '--address', 'http://smh-node-01:9094', '--threads', '0'],
      rest: [
        { key: 'networks', value: 'spacemesh' },
        { key: 'restart', value: 'unless-stopped' },
      ],
    });
    expect(program && foundRole(program)).toBe('prover');
  });

  it('is nothing without an image', () => {
    expect(programOfDockerRun(['docker', 'ps'], { file: 'f', directory: '/' })).toBeUndefined();
    expect(programOfDockerRun(['docker', 'run', '-d'], { file: 'f', directory: '/' })).toBeUndefined();
  });
});

describe('values that are shown', () => {
  it('never are secrets', () => {
    expect(shownValue('API_KEY', 'abc')).toBe('(not shown)');
    expect(shownValue('x', `see ${'ab'.repeat(32)}`)).toBe('see (not shown)');
    expect(shownValue('grpc-tls-key', '/certs/key.pem')).toBe('/certs/key.pem');
    expect(shownValue('x', 'y '.repeat(100))).toHaveLength(90);
  });
});
