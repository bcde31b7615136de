import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jobPassthrough } from '../../../src/domain/compose/init-jobs.ts';
import { passthroughOf } from '../../../src/domain/compose/passthrough.ts';
import type { ComposeService } from '../../../src/domain/compose/types.ts';
import {
  composeOf,
  EXAMPLE_DIRECTORY,
  EXAMPLE_PROJECTS,
  exampleProject,
} from '../../fixtures/example-projects.ts';

const VENDORS = Object.keys(EXAMPLE_PROJECTS).filter((name) => name.startsWith('init-'));

/** The services of jobs as a reader of compose.yaml gets them, with the devices that each names. */
async function emitted(name: string) {
  const text = EXAMPLE_PROJECTS[name] ?? '';
  const settings = exampleProject(text).initialisation;
  if (settings === undefined) throw new Error(`${name} has no jobs`);
  const { services } = parse(await composeOf(text), { merge: true }) as {
    services: Record<string, ComposeService>;
  };
  const fragment = readFileSync(
    new URL(`../../../compose/init/${settings.gpu}.yaml`, import.meta.url),
    'utf8',
  );
  const facts = { directory: EXAMPLE_DIRECTORY, fragment, groups: [44, 109] };
  return { settings, services, facts };
}

describe('a look into a container', () => {
  it.each(VENDORS)('%s: gets what the emitted jobs get, and not their data', async (name) => {
    const { settings, services, facts } = await emitted(name);
    for (const [index, job] of settings.jobs.entries()) {
      const service = services[job.name];
      if (service === undefined) throw new Error(`no service ${job.name}`);
      const dealt = settings.devices[index % Math.max(settings.devices.length, 1)];
      const own = job.device ?? (job.provider === undefined ? dealt : undefined);
      const devices = own === undefined ? settings.devices : [own];
      const look = jobPassthrough({ ...settings, devices }, facts);
      expect(look.passthrough).toEqual(passthroughOf(service));
      expect(look.image).toBe(service.image);
      expect(look.passthrough.mounts.map(({ target }) => target)).not.toContain('/post');
    }
  });

  it('tells vendors apart by what they get', async () => {
    const shapes = await Promise.all(
      ['nvidia', 'amd', 'intel', 'cpu'].map(async (vendor) => {
        const { settings, facts } = await emitted(`init-${vendor}`);
        const { passthrough, isBuilt } = jobPassthrough({ ...settings, devices: [] }, facts);
        return { isBuilt, ...passthrough };
      }),
    );
    const environment = { HOME: '/tmp' };
    const none = { devices: [], deviceRequests: [], groups: [], mounts: [], environment };
    expect(shapes).toEqual([
      {
        ...none,
        isBuilt: false,
        deviceRequests: [{ driver: 'nvidia', count: -1, capabilities: ['gpu', 'compute', 'utility'] }],
        mounts: [{ source: '/srv/smesh/init/nvidia.icd', target: '/etc/OpenCL/vendors/nvidia.icd' }],
      },
      { ...none, isBuilt: true, devices: ['/dev/kfd', '/dev/dri'], groups: [44, 109] },
      { ...none, isBuilt: true, devices: ['/dev/dri'], groups: [44, 109] },
      { ...none, isBuilt: false },
    ]);
  });
});
