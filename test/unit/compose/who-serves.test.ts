import { describe, expect, it } from 'vitest';
import { flagValue, servedFolders } from '../../../src/domain/compose/who-serves.ts';

const mount = (source: string, target: string) =>
  ({ kind: 'bind', source, target, writable: false }) as const;
const container = (changes: Partial<Parameters<typeof servedFolders>[0]>) => ({
  image: 'busybox:1',
  command: [],
  mounts: [],
  labels: {},
  ...changes,
});

describe('servedFolders', () => {
  it('finds the PoST directory below a mount of the whole disk', () => {
    const found = servedFolders(
      container({
        command: ['/bin/post-service', '--dir', '/mnt/d1/post01/', '--threads', '1'],
        mounts: [mount('/', '/host'), mount('/media/disks', '/mnt')],
      }),
    );
    expect(found.post).toContain('/media/disks/d1/post01');
  });

  it('takes the longest mount above a path', () => {
    const mounts = [mount('/a', '/data'), mount('/b', '/data/inner'), mount('/c', '/data/in')];
    expect(servedFolders(container({ command: ['x', '--dir=/data/inner/post'], mounts })).post).toEqual([
      '/b/post',
    ]);
  });

  it("knows a node by its flag, its image or its label; and a backup that mounts the same is nobody's server", () => {
    const mounts = [mount('/srv/node', '/data')];
    const byFlag = container({ command: ['x', '--data-folder', '/data'], mounts });
    const byImage = container({ image: 'spacemeshos/go-spacemesh:v1.7.6', mounts });
    const byLabel = container({ labels: { 'io.smesh-compose.role': 'node' }, mounts });
    for (const one of [byFlag, byImage, byLabel]) expect(servedFolders(one).node).toEqual(['/srv/node']);
    const withConfig = { ...byLabel, mounts: [...mounts, mount('/srv/node/config.json', '/config.json')] };
    expect(servedFolders(withConfig).node).toEqual(['/srv/node']);
    const poet = container({ image: 'spacemeshos/poet:v0.10.8', mounts });
    expect(servedFolders(poet)).toEqual({ post: [], node: [] });
    expect(servedFolders(container({ labels: { 'io.smesh-compose.role': 'poet' }, mounts })).node).toEqual(
      [],
    );
    const backup = container({ image: 'borg:1', command: ['borg', 'create', '/data'], mounts });
    expect(servedFolders(backup)).toEqual({ post: [], node: [] });
  });
});

describe('S23: named volumes', () => {
  const volume = {
    kind: 'volume',
    source: '/var/lib/docker/volumes/spacemesh/_data',
    target: '/data',
  } as const;

  it('hold the keys of a node and the data of a prover as folders do', () => {
    const mounts = [{ ...volume, writable: true }];
    const byImage = container({ image: 'spacemeshos/go-spacemesh:v1.7.6', mounts });
    expect(servedFolders(byImage).node).toEqual([volume.source]);
    const byFlag = container({ command: ['x', '--data-folder=/data/node'], mounts });
    expect(servedFolders(byFlag).node).toEqual([`${volume.source}/node`]);
    const prover = container({ image: 'spacemeshos/post-service:v0.8.5', mounts });
    expect(servedFolders(prover)).toEqual({ post: [volume.source], node: [] });
  });

  it('without a place on this host, and tmpfs, are no folders', () => {
    const mounts = [
      { ...volume, source: 'remote', writable: true },
      { kind: 'tmpfs', source: '', target: '/tmp', writable: true } as const,
    ];
    expect(servedFolders(container({ image: 'spacemeshos/go-spacemesh:v1.7.6', mounts })).node).toEqual([]);
  });
});

describe('flagValue', () => {
  it('reads both forms, and no flag that only begins alike', () => {
    expect(flagValue(['--dir', '/x'], ['--dir', '-d'])).toBe('/x');
    expect(flagValue(['-d', '/x'], ['--dir', '-d'])).toBe('/x');
    expect(flagValue(['--dir=/x=y'], ['--dir'])).toBe('/x=y');
    expect(flagValue(['--directory', '/x'], ['--dir'])).toBeUndefined();
    expect(flagValue(['--dir'], ['--dir'])).toBeUndefined();
  });
});
