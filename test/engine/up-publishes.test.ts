import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { parseSmesherId } from '../../src/domain/identity/smesher-id.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { TestProject } from './support/project.ts';

let project: TestProject;

beforeAll(async () => {
  project = await TestProject.make(suiteTempFolder('up-publishes'), 1, 1);
  project.hurry();
  const run = await project.smesh(['up']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});

afterAll(async () => {
  await project.cleanUp();
});

/** IDs that have published an ATX on this network. */
async function published(): Promise<readonly string[]> {
  const { publicApi, privateApi } = project.ports;
  const endpoint = { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` };
  const smeshers = project.identities.flatMap(({ smesherId }) => parseSmesherId(smesherId) ?? []);
  const query = { smeshers, fromEpoch: 0, toEpoch: 1000, timeoutMs: 3000 };
  const answer = await createNodeApi().activations(endpoint, query);
  return answer.ok ? answer.value.map(({ smesher }) => smesher) : [];
}

async function waitForAtx(smesherId: string): Promise<void> {
  const until = Date.now() + 150_000;
  while (!(await published()).includes(smesherId)) {
    if (Date.now() > until) throw new Error(`${smesherId} has not published`);
    await sleep(1000);
  }
}

describe('added identities', () => {
  it('S17: publish their ATX, whether up or plain docker compose up -d brought them in', async () => {
    const byCompose = project.addIdentity();
    project.write();
    expect((await project.smesh(['generate'])).code).toBe(0);
    await project.compose('up', '-d');
    const byUp = project.addIdentity();
    project.write();
    // The epoch is so short that the gap may be open; here that is not what is tested.
    const run = await project.smesh(['up', '--force']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    await Promise.all([waitForAtx(byCompose.smesherId), waitForAtx(byUp.smesherId)]);
  });
});
