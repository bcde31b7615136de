import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import { createHost } from '../../../../src/adapters/host/index.ts';
import { createScanner } from '../../../../src/adapters/scanner/index.ts';
import { requireProject } from '../../../../src/domain/project/parse.ts';
import type { InitialisationJob, Project } from '../../../../src/domain/project/types.ts';
import type { HostPort } from '../../../../src/ports/host.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { EXAMPLE_PROJECTS, exampleId } from '../../../fixtures/example-projects.ts';

export const JOB_COMMITMENT = '9e'.repeat(32);
/** A standalone unit has 64 labels of 16 bytes. */
export const UNIT = 1024;

/** A job of four units in files of one unit each, unless said otherwise. */
export function makeJob(folder: string, changes: Partial<InitialisationJob> = {}): InitialisationJob {
  return {
    id: exampleId(9),
    name: 'post-0009-init',
    data: join(folder, 'post-0009'),
    units: 4,
    provider: 0,
    commitmentAtx: JOB_COMMITMENT,
    maxFileSize: UNIT,
    ...changes,
  };
}

/** A standalone project whose identities are nowhere and whose jobs are these. */
export function projectWith(
  directory: string,
  jobs: readonly InitialisationJob[],
  gpu: 'nvidia' | 'cpu' = 'nvidia',
): Project {
  const { project } = requireProject(EXAMPLE_PROJECTS['standalone'] ?? '', { directory });
  return { ...project, initialisation: { image: 'postcli:v0', gpu, devices: [], jobs } };
}

/** Ports that look at this machine's own files. */
export function lookingContext(directory: string, host: Partial<HostPort> = {}): Context {
  const real = createHost(process.env);
  return {
    directory,
    clock: systemClock,
    ports: {
      files: nodeFiles,
      host: async () => ({ ...real, ...host }),
      scanner: async () => createScanner({ crypto: nodeCrypto }),
    },
  } as unknown as Context;
}

/** `postdata_metadata.json` as postcli writes it for a job; fields can be others. */
export function writeMetadata(job: InitialisationJob, fields: Readonly<Record<string, unknown>> = {}): void {
  mkdirSync(job.data, { recursive: true });
  const metadata = {
    NodeId: Buffer.from(job.id, 'hex').toString('base64'),
    CommitmentAtxId: Buffer.from(job.commitmentAtx, 'hex').toString('base64'),
    LabelsPerUnit: 64,
    NumUnits: job.units,
    MaxFileSize: job.maxFileSize,
    ...fields,
  };
  writeFileSync(join(job.data, 'postdata_metadata.json'), JSON.stringify(metadata, undefined, '\t'));
}

export const NONCE = { Nonce: 12, NonceValue: '006dcad2948c3673a667162f27ce5885' };

/** `postdata_<index>.bin` of these sizes. */
export function writeFiles(folder: string, sizes: Readonly<Record<string, number>>): void {
  for (const [index, size] of Object.entries(sizes)) {
    const path = join(folder, `postdata_${index}.bin`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    truncateSync(path, size);
  }
}
