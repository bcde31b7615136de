import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../src/adapters/docker/endpoint.ts';
import { createDocker } from '../../src/adapters/docker/index.ts';
import { parseImageReference } from '../../src/domain/upgrade/image-reference.ts';
import type { Context } from '../../src/usecases/context.ts';
import type { Change } from '../../src/usecases/upgrade/choose.ts';
import type { Standing } from '../../src/usecases/upgrade/look.ts';
import { judgeWaysBack } from '../../src/usecases/upgrade/way-back.ts';
import { docker, NODE_IMAGE, PROVER_IMAGE } from './support/project.ts';

const NAME = `smt-way-back-${process.pid}:v1`;

function reference(text: string) {
  const parsed = parseImageReference(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('S24: before anything is pulled', () => {
  const changes: readonly Change[] = [
    { use: 'node', from: [reference(NAME)], to: reference(NAME.replace('v1', 'v2')) },
  ];
  let context: Context;
  let imageId: string;

  const judge = () =>
    judgeWaysBack(context, { own: [{ image: NAME, imageId }] } as unknown as Standing, changes);

  beforeAll(async () => {
    const port = await createDocker(await resolveEndpoint(process.env));
    context = { ports: { docker: async () => port } } as unknown as Context;
    await docker('tag', NODE_IMAGE, NAME);
    imageId = await docker('image', 'inspect', '-f', '{{.Id}}', NAME);
  });

  afterAll(() => docker('rmi', NAME));

  it('a name that was given to another image is found, and the command that is told gives it back', async () => {
    expect(await judge()).toEqual([]);
    await docker('tag', PROVER_IMAGE, NAME);
    const [finding, ...more] = await judge();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: 'no-way-back', severity: 'error', kind: 'refused' });
    const command = /docker (tag [0-9a-f]{12} \S+)$/.exec(finding?.next ?? '')?.[1] ?? '';
    await docker(...command.split(' '));
    expect(await judge()).toEqual([]);
  });
});
