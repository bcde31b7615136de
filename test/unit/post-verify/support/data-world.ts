import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import { createScanner } from '../../../../src/adapters/scanner/index.ts';
import { defaultPoet, MAINNET } from '../../../../src/domain/node/networks.ts';
import { currentOrNextGap, epochClock } from '../../../../src/domain/poet/epochs.ts';
import type { HelperContainer, HelperResult } from '../../../../src/ports/docker.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { tempFolder } from '../../../helpers/temp.ts';
import { FakeProject } from '../../schedule/support/fake-context.ts';

const base64 = (byte: number) => Buffer.alloc(32, byte).toString('base64');
export const METADATA = {
  ...{ NodeId: base64(0x62), CommitmentAtxId: base64(0xc0), LabelsPerUnit: 64, NumUnits: 1 },
  ...{ MaxFileSize: 512, Nonce: 5, NonceValue: '00'.repeat(16) },
};

/** Three days before the gap of mainnet opens. */
const NOW =
  currentOrNextGap(epochClock(MAINNET, defaultPoet(MAINNET)), Date.parse('2026-11-27T00:00:00Z')).opens -
  3 * 86_400_000;

/** Real data of two files in a real folder, and an engine whose postcli is a function. */
export function dataWorld(
  postcli: (helper: HelperContainer, metadata: string) => Promise<HelperResult>,
  { json = false, identity = '' } = {},
) {
  const top = tempFolder('post-verify');
  const data = join(top, 'data');
  mkdirSync(data);
  const metadata = join(data, 'postdata_metadata.json');
  writeFileSync(metadata, JSON.stringify(METADATA));
  for (const file of [0, 1]) writeFileSync(join(data, `postdata_${file}.bin`), Buffer.alloc(512, 7));
  if (identity !== '') {
    writeFileSync(
      join(top, 'smesh.yaml'),
      `version: 1\nname: smesh\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\nidentities:\n  - {id: '${'62'.repeat(32)}', data: ${data}, ${identity}}\n`,
    );
  }
  const fake = new FakeProject();
  fake.containers.clear();
  const base = fake.context();
  const containers: unknown[] = [];
  const disk = { answers: true };
  const documents: unknown[] = [];
  const ports = {
    ...base.ports,
    files: nodeFiles,
    scanner: async () => createScanner({ crypto: nodeCrypto }),
    host: async () => ({ answers: async () => disk.answers }),
    docker: async () => ({
      ...(await base.ports.docker()),
      containers: async () => containers,
      image: async () => ({ id: 'x' }),
      runHelper: (helper: HelperContainer) => postcli(helper, metadata),
    }),
  };
  const out = { ...base.out, json: (document: unknown) => documents.push(document) };
  const clock = { ...systemClock, now: () => NOW };
  const context = { ...base, directory: top, clock, ports, out, json } as unknown as Context;
  return { fake, data, disk, metadata, top, containers, documents, context };
}

export const ended = (exitCode: number, stderr = ''): HelperResult => ({
  ...{ kind: 'ended' as const, exitCode, stdout: '', stderr, truncated: false },
});

/** A running container of another project. */
export const container = (source: string, more: object) => ({
  ...{ id: 'c', name: 'c', service: 'post-0001', oneOff: false, state: 'running', image: 'x', command: [] },
  ...{ ports: [], addresses: [], oomKilled: false, project: 'other', labels: {} },
  mounts: [{ kind: 'bind', source, target: '/post', writable: true }],
  ...more,
});
