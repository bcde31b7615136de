import { ExitCode, SmeshError } from '../../domain/errors.ts';

interface ModemError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly json?: unknown;
  readonly message?: unknown;
}

/** HTTP status of the engine's answer; `undefined` when there was none. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as ModemError | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** The engine's own sentence, without docker-modem's wrapping and trailing blank (engineering.md §3.4). */
export function engineMessage(error: unknown): string {
  const { json, message } = (error ?? {}) as ModemError;
  const own = typeof json === 'object' && json !== null ? (json as { message?: unknown }).message : undefined;
  const text = typeof own === 'string' && own !== '' ? own : String(message ?? error);
  return text.trim().replace(/\.$/, '');
}

/** Turns whatever docker-modem rejects with into the one error that says what it means (design §1). */
export function engineError(endpoint: string, doing: string, error: unknown): SmeshError {
  if (error instanceof SmeshError) return error;
  const code = String((error as ModemError | null)?.code ?? '');
  const status = statusOf(error);
  if (status !== undefined) {
    return new SmeshError(
      'engine-refused',
      ExitCode.environment,
      `Could not ${doing}: ${engineMessage(error)}.`,
      {
        cause: error,
      },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new SmeshError(
      'engine-permission',
      ExitCode.environment,
      `You may not use the Docker engine at ${endpoint}: permission denied on its socket. Nothing was changed.`,
      {
        hint: 'sudo usermod -aG docker "$USER", then log in again; or run this with sudo.',
        cause: error,
      },
    );
  }
  if ((error as Error | null)?.name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return new SmeshError(
      'engine-silent',
      ExitCode.environment,
      `The Docker engine at ${endpoint} took the question but gave no answer in time (to ${doing}).`,
      {
        hint: 'Is the machine or its disks overloaded? Then try again; else: sudo systemctl restart docker',
        cause: error,
      },
    );
  }
  return new SmeshError(
    'engine-down',
    ExitCode.environment,
    `No Docker engine answers at ${endpoint} (${code || engineMessage(error)}). What runs in containers is not affected by this tool.`,
    { hint: 'sudo systemctl start docker; or name another engine with DOCKER_HOST.', cause: error },
  );
}

export function containerGone(container: string): SmeshError {
  return new SmeshError(
    'container-gone',
    ExitCode.environment,
    `The container ${container} is not there any more.`,
    {
      hint: 'Somebody else removed it. Run the command again.',
    },
  );
}
