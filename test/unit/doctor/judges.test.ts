import { describe, expect, it } from 'vitest';
import { type DataFacts, judgeData, judgeHealth, judgeNodeData } from '../../../src/domain/doctor/disks.ts';
import { type EngineLook, judgeEngine } from '../../../src/domain/doctor/engine.ts';
import type { DoctorFinding } from '../../../src/domain/doctor/finding.ts';
import { type HostFacts, judgeHost } from '../../../src/domain/doctor/host.ts';
import { judgeImages, type ServiceImages } from '../../../src/domain/doctor/images.ts';
import { judgeKeys, type KeysLook } from '../../../src/domain/doctor/keys.ts';
import { judgeMemory } from '../../../src/domain/doctor/memory.ts';
import { judgeOverride } from '../../../src/domain/doctor/override.ts';
import { judgeRestarters } from '../../../src/domain/doctor/restarters.ts';
import { readSmart } from '../../../src/domain/doctor/smart.ts';
import { judgeUpdaters, type SeenContainer } from '../../../src/domain/doctor/updaters.ts';
import type { PendingKey } from '../../../src/domain/identity/decide-pending.ts';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { judgeCombination } from '../../../src/domain/node/combinations.ts';

const GIB = 1024 ** 3;
const shown = (found: readonly DoctorFinding[]) => found.map(({ code, severity }) => `${severity} ${code}`);

describe('judgeHost', () => {
  const host: HostFacts = {
    platform: 'linux',
    architecture: 'x86_64',
    kernel: '6.1',
    runtime: 'v20',
    cgroupVersion: 2,
    totalMemoryBytes: 64 * GIB,
    availableMemoryBytes: 50 * GIB,
    swapTotalBytes: 8 * GIB,
    swapFreeBytes: 7 * GIB,
    aes: true,
    openFiles: 1000,
    mostOpenFiles: 100_000,
  };

  it.each<[string, Partial<HostFacts>, string]>([
    ['all well', {}, 'ok host-ok'],
    ['arm', { architecture: 'aarch64' }, 'warning host-architecture'],
    ['mac', { platform: 'darwin' }, 'warning host-system'],
    ['no AES', { aes: false }, 'warning host-no-aes'],
    ['files', { openFiles: 90_001 }, 'warning host-files-limit'],
    ['swap', { swapFreeBytes: 3 * GIB }, 'warning host-swapping'],
    ['no swap at all', { swapTotalBytes: 0, swapFreeBytes: 0 }, 'ok host-ok'],
  ])('%s', (_, changes, expected) => {
    expect(shown(judgeHost({ ...host, ...changes }, 8))).toEqual([expected]);
  });
});

describe('judgeEngine', () => {
  const engine: EngineLook = {
    endpoint: 'unix:///var/run/docker.sock',
    version: '26.1.5',
    apiVersion: '1.45',
    operatingSystem: 'Debian',
    architecture: 'x86_64',
    cgroupVersion: 2,
    rootless: false,
    desktop: false,
    dataRoot: '/var/lib/docker',
    liveRestore: true,
    cpuQuotas: true,
    freeBytes: 50 * GIB,
  };

  it.each<[string, Partial<EngineLook>, string[]]>([
    ['all well', {}, ['ok engine-ok']],
    ['snap', { dataRoot: '/var/snap/docker/common/var-lib-docker' }, ['warning engine-snap']],
    ['desktop', { desktop: true }, ['info engine-desktop', 'ok engine-ok']],
    ['elsewhere', { endpoint: 'tcp://10.0.0.1:2376' }, ['info engine-remote', 'ok engine-ok']],
    ['rootless', { rootless: true }, ['info engine-rootless', 'ok engine-ok']],
    ['no live-restore', { liveRestore: false }, ['info engine-no-live-restore', 'ok engine-ok']],
    ['no CPU quotas', { cpuQuotas: false }, ['info engine-no-cpu-quota', 'ok engine-ok']],
    ['9 GiB', { freeBytes: 9 * GIB }, ['warning engine-disk-low']],
    ['1 GiB', { freeBytes: GIB }, ['error engine-disk-low']],
  ])('%s', (_, changes, expected) => {
    expect(shown(judgeEngine({ ...engine, ...changes }))).toEqual(expected);
  });
});

describe('judgeData', () => {
  const at = (seen: DataFacts['seen'], service = 'post-0001', more: Partial<DataFacts> = {}): DataFacts => ({
    service,
    path: `/mnt/${service}`,
    seen,
    ...more,
  });

  it.each<[DataFacts['seen'], string[]]>([
    ['present', []],
    ['missing', ['error disk-missing']],
    ['empty', ['error disk-empty']],
    ['no-metadata', ['error disk-no-metadata']],
    ['forbidden', ['info disk-unreadable']],
    ['broken', ['error disk-unreadable']],
    ['late', ['error disk-unreadable']],
  ])('%s', (seen, expected) => {
    expect(shown(judgeData([at(seen)]))).toEqual(expected);
  });

  it('tells a shelf that is off in one finding', () => {
    const found = judgeData(Array.from({ length: 12 }, (_, index) => at('missing', `post-${index}`)));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      subject: 'post-0, post-1, post-2 and 9 more',
      measured: { identities: 12 },
    });
  });

  it('tells a file system that turned read-only from one that is meant to be', () => {
    const place = {
      mountPoint: '/mnt/d1',
      fileSystem: 'ext4',
      source: '/dev/sda1',
      disks: ['sda'],
      readOnly: true,
    };
    const judge = (changes: object) =>
      shown(
        judgeData([
          at('present', 'a', { place: { ...place, ...changes } }),
          at('present', 'b', { place: { ...place, ...changes } }),
        ]),
      );
    expect(judge({ wantedReadOnly: false })).toEqual(['warning disk-turned-read-only']);
    expect(judge({ wantedReadOnly: true })).toEqual([]);
    // Mounted by hand: nobody knows what was meant.
    expect(judge({})).toEqual([]);
    expect(judge({ readOnly: false, errorCount: 3 })).toEqual(['warning disk-file-system-errors']);
    expect(judge({ readOnly: false, errorCount: 0 })).toEqual([]);
  });

  it("measures the room of the node's databases", () => {
    const judge = (freeBytes: number, stateBytes?: number) =>
      shown(judgeNodeData({ path: '/n', freeBytes, ...(stateBytes === undefined ? {} : { stateBytes }) }));
    expect(judge(200 * GIB, 130 * GIB)).toEqual([]);
    expect(judge(100 * GIB, 130 * GIB)).toEqual(['warning disk-migration-space']);
    expect(judge(4 * GIB, 130 * GIB)).toEqual(['error disk-node-full', 'warning disk-migration-space']);
    expect(judge(130 * GIB, 130 * GIB)).toEqual([]);
  });
});

describe('SMART', () => {
  const smart = (value: object) => readSmart(JSON.stringify(value));
  const table = (id: number, value: number) => ({
    ata_smart_attributes: { table: [{ id, raw: { value } }] },
  });

  it.each<[string, object, string]>([
    ['sound', { smart_status: { passed: true }, ...table(5, 0) }, 'sound'],
    ['failing', { smart_status: { passed: false } }, 'failing'],
    ['pending', { smart_status: { passed: true }, ...table(197, 8) }, 'worn'],
    ['packed raw value', { smart_status: { passed: true }, ...table(5, 2 ** 40) }, 'sound'],
    ['other attribute', { smart_status: { passed: true }, ...table(9, 20_000) }, 'sound'],
    [
      'nvme',
      { smart_status: { passed: true }, nvme_smart_health_information_log: { critical_warning: 4 } },
      'failing',
    ],
    [
      'nvme media',
      { smart_status: { passed: true }, nvme_smart_health_information_log: { media_errors: 2 } },
      'worn',
    ],
    ['asleep', { smartctl: { messages: [{ string: 'Device is in STANDBY mode, exit(2)' }] } }, 'asleep'],
    ['no permission', { smartctl: { messages: [{ string: '/dev/sda: Permission denied' }] } }, 'unknown'],
    ['another shape', { smart_status: 'fine' }, 'unknown'],
  ])('%s', (_, value, kind) => {
    expect(smart(value).kind).toBe(kind);
  });

  it('is told once for all disks that say nothing', () => {
    const unknown = { kind: 'unknown', reason: 'smartctl is not installed' } as const;
    const found = judgeHealth([
      { disk: 'sda', services: ['a'], reading: unknown },
      { disk: 'sdb', services: ['b'], reading: unknown },
      { disk: 'sdc', services: ['c'], reading: { kind: 'worn', counts: { 'pending sectors': 8 } } },
      { disk: 'sdd', services: ['d'], reading: { kind: 'asleep' } },
    ]);
    expect(shown(found)).toEqual(['warning disk-smart-sectors', 'info disk-smart-unknown']);
    expect(found[0]?.evidence).toBe('pending sectors 8');
  });
});

describe('judgeMemory (S25)', () => {
  const fast = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, randomx: 'fast' as const }));

  it('counts what fits beside node and system', () => {
    expect(judgeMemory(fast, 16 * GIB)[0]).toMatchObject({
      code: 'memory-short',
      measured: { fitting: 6, proofs: 10 },
    });
    expect(shown(judgeMemory(fast, 26 * GIB))).toEqual(['ok memory-ok']);
    expect(shown(judgeMemory(fast, 4 * GIB))).toEqual(['error memory-too-small']);
    const remote = fast.map((one) => ({ ...one, remoteK2pow: { url: 'http://k' } }));
    expect(shown(judgeMemory(remote, 4 * GIB))).toEqual(['ok memory-ok']);
  });
});

describe('judgeImages (S24)', () => {
  const NODE = 'spacemeshos/go-spacemesh:v1.7.6';
  const POST = 'spacemeshos/post-service:v0.8.5';
  const prover = (image: string) => ({ image, remoteK2pow: false });
  const judge = (
    services: readonly ServiceImages[],
    node = NODE,
    provers = [prover(POST)],
    initialisation?: string,
  ) =>
    shown(
      judgeImages(services, { node, provers, ...(initialisation === undefined ? {} : { initialisation }) }),
    );
  const wanted = (image: string, more: Partial<ServiceImages> = {}): ServiceImages => ({
    service: 'post-0001',
    wanted: image,
    ...more,
  });
  const present = (image: string, imageId = 'sha256:a') => ({ present: { image, imageId, running: true } });

  it('knows releases that are broken, doubtful, or none', () => {
    expect(judge([wanted(POST)])).toEqual(['ok images-ok']);
    expect(judge([wanted('spacemeshos/post-service:v0.8.1')])).toEqual(['error image-broken']);
    expect(judge([wanted('spacemeshos/go-spacemesh:v1.7.5')])).toEqual(['error image-broken']);
    expect(judge([wanted('spacemeshos/post-service:latest')])).toEqual(['error image-broken']);
    expect(judge([wanted('spacemeshos/post-service:v0.7.12')])).toEqual(['warning image-doubtful']);
    expect(judge([wanted(POST)], NODE, [prover(POST)], 'spacemeshos/postcli:latest')).toEqual([
      'error image-broken',
    ]);
  });

  it('compares what runs with what is wanted', () => {
    expect(judge([wanted(POST, present(POST))])).toEqual(['ok images-ok']);
    expect(judge([wanted(POST, present('spacemeshos/post-service:v0.8.4'))])).toEqual([
      'warning image-differs',
    ]);
    expect(judge([wanted(POST, present('spacemeshos/post-service:v0.8.1'))])).toEqual([
      'warning image-differs',
      'error image-broken',
    ]);
    expect(judge([wanted(POST, { wantedId: 'sha256:b', ...present(POST) })])).toEqual([
      'warning image-moved',
    ]);
    expect(judge([wanted(POST, { wantedId: 'sha256:a', ...present(POST) })])).toEqual(['ok images-ok']);
  });

  it('knows combinations that do not fit, or of which nobody knows', () => {
    const combine = (
      node: string,
      provers: { image: string; remoteK2pow: boolean }[],
      initialisation?: string,
    ) =>
      judgeCombination({ node, provers, ...(initialisation === undefined ? {} : { initialisation }) }).map(
        ({ severity }) => severity,
      );
    const old = 'spacemeshos/post-service:v0.7.13';
    expect(combine(NODE, [prover(POST), prover(POST)], 'spacemeshos/postcli:v0.12.9')).toEqual([]);
    expect(combine(NODE, [prover(POST), prover(old)])).toEqual(['warning']);
    expect(combine(NODE, [{ image: old, remoteK2pow: true }])).toEqual(['error']);
    expect(combine('spacemeshos/go-spacemesh:v2.0.0', [prover(POST)])).toEqual(['warning']);
    expect(combine(NODE, [prover(POST)], 'spacemeshos/postcli:v0.13.0')).toEqual(['warning']);
    // Own builds say nothing by their tag.
    expect(combine('my/node:build-7', [prover('my/post:build-7')], 'my/postcli:x')).toEqual([]);
  });
});

describe('judgeKeys', () => {
  const [A, B] = ['a'.repeat(64) as SmesherId, 'b'.repeat(64) as SmesherId];
  const key = (file: string, smesherId: SmesherId | undefined, more = {}) => ({
    file,
    mode: 0o100600,
    uid: 1000,
    ...(smesherId === undefined ? {} : { smesherId }),
    ...more,
  });
  const waiting = ({ smesherId = B, ...more }: Partial<PendingKey>): PendingKey => ({
    file: 'post-0002.key.pending',
    name: 'post-0002',
    mode: 0o100600,
    uid: 1000,
    gid: 1000,
    ...(more.fault === undefined ? { smesherId } : {}),
    ...more,
  });
  const judge = (installed: KeysLook['installed'], more: Partial<KeysLook> = {}) =>
    shown(
      judgeKeys({
        folder: '/n/identities',
        installed,
        identities: [{ id: A, name: 'post-0001' }],
        nodeUid: 1000,
        originals: [],
        ...more,
      }),
    );

  it.each<[string, KeysLook['installed'], string[]]>([
    ['well', [key('a.key', A)], ['ok keys-ok']],
    ['missing', [], ['error key-missing']],
    ['open', [key('a.key', A, { mode: 0o100640 })], ['warning key-mode']],
    ['of another owner', [key('a.key', A, { uid: 0 })], ['error key-owner']],
    ['twice', [key('a.key', A), key('b.key', A)], ['error key-duplicate']],
    ['faulty', [key('a.key', A), key('b.key', undefined, { fault: 'too short' })], ['error key-fault']],
    ['stray', [key('a.key', A), key('b.key', B)], ['warning key-stray']],
    ['local beside others', [key('a.key', A), key('local.key', B)], ['error key-local']],
    ['only local', [key('local.key', B)], ['warning key-local', 'error key-missing']],
    ['unreadable', 'unreadable', ['info keys-unreadable']],
  ])('%s', (_, installed, expected) => {
    expect(judge(installed)).toEqual(expected);
  });

  it.each<[string, Partial<KeysLook>, string[]]>([
    ['waits while its data is made', {}, ['ok keys-ok']],
    ['is not there, and its data is being made', { pending: [] }, ['error key-pending-missing']],
    [
      'lies beside its data, where somebody else put it',
      { pending: [], besideJobs: new Set([B]) },
      ['ok keys-ok'],
    ],
    ['waits for data that nobody makes', { jobs: [] }, ['warning key-pending-idle']],
    ['can be read by others', { pending: [waiting({ mode: 0o100640 })] }, ['warning key-mode']],
    ['belongs to somebody else', { pending: [waiting({ uid: 0 })] }, ['warning key-owner']],
    ['is broken', { jobs: [], pending: [waiting({ fault: 'too short' })] }, ['error key-pending-fault']],
    [
      'waits beside the same key',
      { jobs: [], pending: [waiting({ smesherId: A })] },
      ['info key-pending-twice'],
    ],
  ])('a key that %s', (_, more, expected) => {
    expect(
      judge([key('a.key', A)], {
        pending: [waiting({})],
        jobs: [{ id: B, name: 'post-0002-init' }],
        ...more,
      }),
    ).toEqual(expected);
  });

  it('looks at the originals beside the data, too', () => {
    expect(
      judge([key('a.key', A)], { originals: [{ path: '/mnt/d1/identity.key', mode: 0o100644 }] }),
    ).toEqual(['warning key-mode']);
  });
});

describe('judgeOverride', () => {
  const judge = (text: string) =>
    shown(judgeOverride({ file: 'compose.override.yaml', text, provers: new Set(['post-0001']) }));

  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    [
      'harmless',
      'services:\n  post-0001:\n    cpus: 2\n  other:\n    restart: always\n    depends_on: [node]\n',
      [],
    ],
    ['restart', 'services:\n  post-0001: {restart: always}\n', ['warning override-restart-always']],
    ['depends_on', 'services:\n  post-0001: {depends_on: [node]}\n', ['warning override-depends-on']],
    [
      'depends_on long',
      'services:\n  post-0001: {depends_on: {node: {condition: service_healthy}}}\n',
      ['warning override-depends-on'],
    ],
    ['network', 'services:\n  post-0001: {network_mode: "service:node"}\n', ['warning override-depends-on']],
    ['latest', 'services:\n  node: {image: spacemeshos/go-spacemesh:latest}\n', ['warning override-image']],
    ['no tag', 'services:\n  watch: {image: alpine}\n', ['warning override-image']],
    ['Compose tags', 'services:\n  post-0001:\n    ports: !reset []\n', []],
    ['broken', 'services: [1\n', ['error override-malformed']],
    ['no mapping', '- a\n', ['error override-malformed']],
  ])('%s', (_, text, expected) => {
    expect(judge(text)).toEqual(expected);
  });

  it('quotes nothing of a file that cannot be read', () => {
    const [found] = judgeOverride({ file: 'o', text: 'a: [hunter2\n', provers: new Set() });
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

describe('judgeUpdaters', () => {
  const own = (label?: string): SeenContainer => ({
    name: 'p-1',
    image: 'x',
    running: true,
    labels: label === undefined ? {} : { 'com.centurylinklabs.watchtower.enable': label },
  });
  const updater = (image: string, running = true): SeenContainer => ({
    name: 'w',
    image,
    running,
    labels: {},
  });

  it('sees who would swap images under running proofs', () => {
    expect(shown(judgeUpdaters([own()], []))).toEqual(['ok updaters-ok']);
    expect(shown(judgeUpdaters([own()], [updater('containrrr/watchtower:1.7')]))).toEqual([
      'warning updater-active',
    ]);
    expect(shown(judgeUpdaters([own('false')], [updater('ghcr.io/containrrr/watchtower')]))).toEqual([
      'info updater-opted-out',
    ]);
    expect(shown(judgeUpdaters([own('false'), own('true')], [updater('containrrr/watchtower')]))).toEqual([
      'warning updater-active',
    ]);
    expect(shown(judgeUpdaters([own()], [updater('containrrr/watchtower', false)]))).toEqual([
      'ok updaters-ok',
    ]);
    expect(shown(judgeUpdaters([own()], [updater('me/not-watchtower-at-all:1')]))).toEqual([
      'ok updaters-ok',
    ]);
  });
});

describe('judgeRestarters', () => {
  const made = (image: string, labels: SeenContainer['labels'] = {}, running = true): SeenContainer => ({
    name: image.split('/').at(-1) ?? image,
    image,
    running,
    labels,
  });
  const prover = (labels: SeenContainer['labels'] = {}) => made('me/post-0001', labels);

  it.each<[string, SeenContainer['labels'], string, string[]]>([
    ['nobody', {}, 'me/something', []],
    ['a program of a similar name', {}, 'me/autoheal-docs', []],
    [
      'Autoheal, which may be set to take all',
      {},
      'willfarrell/autoheal:1.2.0',
      ['warning restarter-active'],
    ],
    ['a relative of it', {}, 'ghcr.io/tmknight/docker-autoheal', ['warning restarter-active']],
    ['one that takes only whom it is asked for', {}, 'qmcgaw/deunhealth', []],
    [
      'and is asked for',
      { 'deunhealth.restart.on.unhealthy': 'true' },
      'qmcgaw/deunhealth',
      ['warning restarter-active'],
    ],
  ])('%s', (_, labels, image, expected) => {
    expect(shown(judgeRestarters([prover(labels)], [prover(labels), made(image)]))).toEqual(expected);
    expect(shown(judgeRestarters([prover(labels)], [prover(labels), made(image, {}, false)]))).toEqual([]);
  });

  it('says whom it takes, or that this cannot be seen', () => {
    const healer = made('willfarrell/autoheal');
    const [asked] = judgeRestarters([prover({ autoheal: 'true' }), prover()], [healer]);
    expect(asked).toMatchObject({ subject: 'post-0001', measured: { watched: 1, containers: 2 } });
    const [perhaps] = judgeRestarters([prover()], [healer]);
    expect(perhaps).toMatchObject({ subject: 'autoheal', measured: { watched: 0, containers: 1 } });
    expect(perhaps?.evidence).toContain('cannot be seen');
  });
});
