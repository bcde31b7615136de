import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ComposeVersion } from '../../ports/compose.ts';

/** The first Compose that knows `start_interval` (engineering.md §4.3). */
const OLDEST = { major: 2, minor: 24 };

const INSTALL = 'Install Docker Compose v2: https://docs.docker.com/compose/install/linux/';

/** Reads `docker compose version --short` loosely: `2.26.1-4`, `v5.0.2`, `2.40.0-desktop.1`. */
export function parseComposeVersion(output: string): ComposeVersion | undefined {
  const text = output.trim().split('\n').at(-1)?.trim() ?? '';
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return {
    text: text.replace(/^v/, ''),
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch ?? 0),
  };
}

export function refuseOldCompose(version: ComposeVersion): void {
  if (version.major > OLDEST.major || (version.major === OLDEST.major && version.minor >= OLDEST.minor))
    return;
  throw new SmeshError(
    'compose-too-old',
    ExitCode.environment,
    `Docker Compose ${version.text} is too old: 2.24 or newer is needed, for health checks with a start interval.`,
    { hint: INSTALL },
  );
}

export function dockerCliMissing(cause: unknown): SmeshError {
  return new SmeshError(
    'docker-cli-missing',
    ExitCode.environment,
    'The docker command is not installed, or not in PATH.',
    {
      hint: 'Install Docker Engine with its command line: https://docs.docker.com/engine/install/',
      cause,
    },
  );
}

export function composeMissing(standaloneVersion: string | undefined): SmeshError {
  if (standaloneVersion !== undefined) {
    return new SmeshError(
      'compose-v1',
      ExitCode.environment,
      `Only the old docker-compose ${standaloneVersion} is installed; docker compose, version 2.24 or newer, is needed.`,
      { hint: INSTALL },
    );
  }
  return new SmeshError('compose-missing', ExitCode.environment, 'docker has no compose command here.', {
    hint: INSTALL,
  });
}
