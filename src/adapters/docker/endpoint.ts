import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { runCommand } from './run-command.ts';

/** One engine for both clients: dockerode knows no contexts, the CLI does (engineering.md §3.4). */
export interface EngineEndpoint {
  /** As `DOCKER_HOST` has it. */
  readonly host: string;
  /** Folder with ca.pem, cert.pem and key.pem when the engine is to be reached by TLS. */
  readonly tlsFolder?: string;
  /** What makes the docker CLI go to the same engine, and nothing else about engines. */
  readonly cliEnvironment: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

const contextSchema = z
  .array(
    z.object({
      Endpoints: z.object({ docker: z.object({ Host: z.string() }).optional() }),
      TLSMaterial: z.record(z.string(), z.array(z.string())).optional(),
      Storage: z.object({ TLSPath: z.string() }).optional(),
    }),
  )
  .refine((contexts) => contexts.length > 0, 'is empty');

/**
 * Decides once where the engine is, in the CLI's own order: DOCKER_HOST, then DOCKER_CONTEXT, then the context chosen
 * with `docker context use`, then the local socket. Rejects with `engine-ssh` or `bad-docker-context` (exit 4).
 */
export async function resolveEndpoint(env: Environment): Promise<EngineEndpoint> {
  const host = env['DOCKER_HOST'];
  if (host !== undefined && host !== '') return endpointOfHost(host, env);
  const context = env['DOCKER_CONTEXT'] || (await currentContext(env));
  if (context === undefined || context === 'default') return endpointOfHost(DEFAULT_HOST, {});
  return endpointOfContext(context, env);
}

function endpointOfHost(given: string, env: Environment): EngineEndpoint {
  const host = given.includes('://') ? given : `tcp://${given}`;
  refuseUnsupported(host);
  const certificates = env['DOCKER_CERT_PATH'];
  const tls = host.startsWith('tcp:') && (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  if (!tls) return { host, cliEnvironment: { DOCKER_HOST: host } };
  const tlsFolder = certificates || join(configFolder(env), '');
  return {
    host,
    tlsFolder,
    cliEnvironment: { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: tlsFolder },
  };
}

async function endpointOfContext(context: string, env: Environment): Promise<EngineEndpoint> {
  const outcome = await runCommand('docker', ['context', 'inspect', context], { env }).catch(
    (cause: unknown) => {
      throw badContext(context, 'the docker command, which knows it, could not be run', cause);
    },
  );
  if (outcome.exitCode !== 0) throw badContext(context, outcome.stderr.trim());
  const parsed = contextSchema.safeParse(parseJson(outcome.stdout));
  const found = parsed.success ? parsed.data[0] : undefined;
  const host = found?.Endpoints.docker?.Host;
  if (host === undefined) throw badContext(context, 'it names no docker endpoint');
  refuseUnsupported(host);
  const tlsPath = found?.Storage?.TLSPath;
  if (tlsPath === undefined || (found?.TLSMaterial?.['docker'] ?? []).length === 0) {
    return { host, cliEnvironment: { DOCKER_HOST: host } };
  }
  // The CLI takes the certificates from the context itself.
  return { host, tlsFolder: join(tlsPath, 'docker'), cliEnvironment: { DOCKER_CONTEXT: context } };
}

function refuseUnsupported(host: string): void {
  if (host.startsWith('ssh://')) {
    throw new SmeshError('engine-ssh', ExitCode.environment, `Docker over ssh (${host}) is not supported.`, {
      hint: 'Run smesh-compose on that machine, where the PoST data is.',
    });
  }
  if (!/^(unix|tcp|npipe):\/\/./.test(host)) {
    throw new SmeshError('bad-docker-host', ExitCode.environment, `DOCKER_HOST cannot be used: ${host}`, {
      hint: 'It looks like unix:///var/run/docker.sock or tcp://host:2375.',
    });
  }
}

async function currentContext(env: Environment): Promise<string | undefined> {
  const text = await readFile(join(configFolder(env), 'config.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = z.object({ currentContext: z.string().optional() }).safeParse(parseJson(text));
  return parsed.success ? parsed.data.currentContext || undefined : undefined;
}

function configFolder(env: Environment): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function badContext(context: string, reason: string, cause?: unknown): SmeshError {
  return new SmeshError(
    'bad-docker-context',
    ExitCode.environment,
    `The docker context ${JSON.stringify(context)} cannot be used: ${reason}`,
    { hint: 'See docker context ls; or name the engine with DOCKER_HOST.', cause },
  );
}
