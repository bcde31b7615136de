import * as z from 'zod';
import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import type {
  ComposeConfig,
  ComposePort,
  ComposeProject,
  ComposeRun,
  ComposeVersion,
  CreateOptions,
} from '../../ports/compose.ts';
import type { EngineEndpoint } from '../docker/endpoint.ts';
import { engineError } from '../docker/engine-errors.ts';
import { type CommandOutcome, runCommand } from '../docker/run-command.ts';
import { failureLines, parseProgress } from './progress.ts';
import { projectFiles } from './project-files.ts';
import { composeMissing, dockerCliMissing, parseComposeVersion, refuseOldCompose } from './versions.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const configSchema = z.looseObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z.looseObject({ image: z.string().optional(), profiles: z.array(z.string()).optional() }),
  ),
});

/** ComposePort on the `docker compose` command, talking to the same engine as dockerode. */
export function createCompose(endpoint: EngineEndpoint, env: Environment): ComposePort {
  return new ComposeCli(endpoint, env);
}

/**
 * The user's environment without what would lead Compose elsewhere: another project, other files, another engine
 * (engineering.md §4.5). Variables that the user's own override file interpolates stay.
 */
export function composeEnvironment(endpoint: EngineEndpoint, env: Environment): Environment {
  const engineVariables = [
    'DOCKER_HOST',
    'DOCKER_CONTEXT',
    'DOCKER_TLS',
    'DOCKER_TLS_VERIFY',
    'DOCKER_CERT_PATH',
  ];
  const kept = Object.entries(env).filter(
    ([name]) => !name.startsWith('COMPOSE_') && !engineVariables.includes(name),
  );
  return { ...Object.fromEntries(kept), ...endpoint.cliEnvironment };
}

class ComposeCli implements ComposePort {
  readonly endpoint: string;
  readonly #env: Environment;
  #version: Promise<ComposeVersion> | undefined;

  constructor(endpoint: EngineEndpoint, env: Environment) {
    this.endpoint = endpoint.host;
    this.#env = composeEnvironment(endpoint, env);
  }

  version(): Promise<ComposeVersion> {
    this.#version ??= this.#askVersion();
    return this.#version;
  }

  async engineId(): Promise<string> {
    const outcome = await this.#docker(['info', '--format', '{{.ID}}']);
    const id = outcome.stdout.trim();
    // `docker info` answers 0 with an empty ID when the engine is down.
    if (outcome.exitCode === 0 && id !== '') return id;
    const said = failureLines(outcome.stderr).at(-1) ?? 'no answer';
    const code = /permission denied/i.test(said) ? 'EACCES' : '';
    throw engineError(this.endpoint, 'ask the engine for its ID', Object.assign(new Error(said), { code }));
  }

  async config(project: ComposeProject): Promise<ComposeConfig> {
    const outcome = await this.#compose(project, ['config', '--format', 'json'], {});
    const parsed = configSchema.safeParse(JSON.parse(outcome.stdout));
    if (parsed.success) return parsed.data as ComposeConfig;
    throw new Error(`docker compose config answers in a form not known: ${parsed.error.message}`);
  }

  async hashes(project: ComposeProject): Promise<ReadonlyMap<string, string>> {
    const outcome = await this.#compose(project, ['config', '--hash', '*'], {});
    const lines = outcome.stdout.split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const [, service, hash] = /^(\S+)\s+([0-9a-f]{64})$/.exec(line) ?? [];
        if (service === undefined || hash === undefined) {
          throw new Error(
            `docker compose config --hash answers in a form not known: ${JSON.stringify(line)}`,
          );
        }
        return [service, hash];
      }),
    );
  }

  async create(project: ComposeProject, options: CreateOptions): Promise<void> {
    const recreate = { changed: [], always: ['--force-recreate'], never: ['--no-recreate'] }[
      options.recreate ?? 'changed'
    ];
    await this.#compose(project, ['create', '--no-build', ...recreate, ...options.services], options);
  }

  async remove(
    project: ComposeProject,
    services: readonly string[],
    options: ComposeRun = {},
  ): Promise<void> {
    // Without a name `rm` would take all services.
    if (services.length === 0) return;
    await this.#compose(project, ['rm', '--stop', '--force', ...services], options);
  }

  async down(project: ComposeProject, options: ComposeRun = {}): Promise<void> {
    await this.#compose(project, ['down'], options);
  }

  async pull(project: ComposeProject, services: readonly string[], options: ComposeRun = {}): Promise<void> {
    await this.#compose(project, ['pull', ...services], options);
  }

  async #askVersion(): Promise<ComposeVersion> {
    const outcome = await this.#docker(['compose', 'version', '--short']);
    const version = outcome.exitCode === 0 ? parseComposeVersion(outcome.stdout) : undefined;
    if (version === undefined) throw composeMissing(await this.#standaloneVersion());
    refuseOldCompose(version);
    return version;
  }

  /** Version of a `docker-compose` in PATH, which people take for the same thing. */
  async #standaloneVersion(): Promise<string | undefined> {
    const outcome = await runCommand('docker-compose', ['version', '--short'], { env: this.#env }).catch(
      () => undefined,
    );
    return outcome?.exitCode === 0 ? outcome.stdout.trim() : undefined;
  }

  async #compose(project: ComposeProject, args: readonly string[], run: ComposeRun): Promise<CommandOutcome> {
    await this.version();
    const files = await projectFiles(project);
    const outcome = await this.#docker(
      [
        'compose',
        ...['--project-name', project.name],
        ...files.flatMap((file) => ['--file', file]),
        ...['--project-directory', project.directory],
        ...(project.profiles ?? []).flatMap((profile) => ['--profile', profile]),
        ...['--ansi', 'never', '--progress', 'plain'],
        ...args,
      ],
      run,
    );
    if (run.signal?.aborted) throw cancelledRun(args);
    if (outcome.exitCode === 0) return outcome;
    throw composeFailed(args, outcome);
  }

  async #docker(args: readonly string[], run: ComposeRun = {}): Promise<CommandOutcome> {
    if (run.signal?.aborted) throw cancelledRun(args);
    try {
      return await runCommand('docker', args, {
        env: this.#env,
        signal: run.signal,
        onErrorLine: (line) => {
          const progress = parseProgress(line);
          if (progress !== undefined) run.onProgress?.(progress);
        },
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw dockerCliMissing(error);
      throw error;
    }
  }
}

function cancelledRun(args: readonly string[]): SmeshError {
  const verb = args[0] ?? '';
  // `create`, `rm` and `down` may have done part of their work.
  return verb === 'create' || verb === 'rm' || verb === 'down'
    ? new SmeshError(
        'cancelled',
        ExitCode.cancelled,
        `Cancelled: docker compose ${verb}. Part of it may be done.`,
        {
          hint: 'Run the same command again to finish it.',
        },
      )
    : cancelled(`docker compose ${verb}`);
}

function composeFailed(args: readonly string[], outcome: CommandOutcome): SmeshError {
  const lines = failureLines(outcome.stderr);
  const cause = lines.at(-1) ?? `exit code ${outcome.exitCode ?? 'none'}`;
  return new SmeshError(
    'compose-failed',
    ExitCode.environment,
    `docker compose ${args[0]} failed: ${cause}`,
    {
      details: lines.slice(0, -1).slice(-20),
    },
  );
}
