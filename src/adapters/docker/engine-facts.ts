import * as z from 'zod';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { EngineFacts } from '../../ports/docker.ts';

/** The first Engine API that knows a healthcheck's `start_interval` (design §5): Docker 25. */
const OLDEST_API = { major: 1, minor: 44 };

const versionSchema = z.object({ Version: z.string(), ApiVersion: z.string().regex(/^\d+\.\d+$/) });

const infoSchema = z.object({
  ID: z.string(),
  Name: z.string(),
  OperatingSystem: z.string().nullish(),
  Architecture: z.string(),
  CgroupVersion: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  NCPU: z.number(),
  MemTotal: z.number(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  DockerRootDir: z.string().nullish(),
  Driver: z.string().nullish(),
  LiveRestoreEnabled: z.boolean().nullish(),
  CpuCfsQuota: z.boolean().nullish(),
  Warnings: z.array(z.string()).nullish(),
});

/** Reads `/version` and `/info`; throws ZodError for other shapes and `engine-too-old` below Engine API 1.44. */
export function parseEngine(version: unknown, info: unknown): EngineFacts {
  const { Version, ApiVersion } = versionSchema.parse(version);
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number);
  if (major < OLDEST_API.major || (major === OLDEST_API.major && minor < OLDEST_API.minor)) {
    throw new SmeshError(
      'engine-too-old',
      ExitCode.environment,
      `This Docker engine is too old: ${Version} (API ${ApiVersion}); 25.0 (API 1.44) or newer is needed.`,
      { hint: 'Upgrade Docker Engine: https://docs.docker.com/engine/install/' },
    );
  }
  const found = infoSchema.parse(info);
  // `name=seccomp,profile=builtin`
  const securityOptions = (found.SecurityOptions ?? []).flatMap((option) => {
    const name = /(?:^|,)name=([^,]+)/.exec(option)?.[1];
    return name === undefined ? [] : [name];
  });
  const operatingSystem = found.OperatingSystem ?? '';
  return {
    id: found.ID,
    name: found.Name,
    version: Version,
    apiVersion: ApiVersion,
    operatingSystem,
    architecture: found.Architecture,
    cgroupVersion: found.CgroupVersion === '2' ? 2 : 1,
    rootless: securityOptions.includes('rootless'),
    desktop: /docker desktop/i.test(operatingSystem),
    securityOptions,
    cpus: found.NCPU,
    memoryBytes: found.MemTotal,
    runtimes: Object.keys(found.Runtimes ?? {}),
    dataRoot: found.DockerRootDir ?? '',
    ...(found.Driver == null ? {} : { storageDriver: found.Driver }),
    ...(found.LiveRestoreEnabled == null ? {} : { liveRestore: found.LiveRestoreEnabled }),
    cpuQuotas:
      found.CpuCfsQuota !== false &&
      !(found.Warnings ?? []).some((warning) => /no cpu cfs (quota|period) support/i.test(warning)),
  };
}
