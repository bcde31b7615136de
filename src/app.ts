import { resolve } from 'node:path';
import { systemClock } from './adapters/clock/index.ts';
import { nodeCrypto } from './adapters/crypto/index.ts';
import { nodeFiles } from './adapters/files/index.ts';
import { realDirectory } from './adapters/files/real-directory.ts';
import { createPrompt } from './adapters/prompt/index.ts';
import { createSystem } from './adapters/system/index.ts';

export { quietThreads } from './adapters/system/quiet-threads.ts';

import { createTerminal, endWithReader } from './adapters/terminal/index.ts';
import type { Context } from './commands/command.ts';
import { asksForJson, type GlobalOptions, parseCommandLine } from './commands/parser.ts';
import { ExitCode, SmeshError } from './domain/errors.ts';
import { explainSystemError } from './domain/system-error.ts';
import type { ClockPort } from './ports/clock.ts';
import type { FilesPort } from './ports/files.ts';
import type { GpuPort } from './ports/gpu.ts';
import type { Ports } from './ports/index.ts';
import type { OutputPort } from './ports/output.ts';
import { formatError } from './ui/errors.ts';
import { fitToTerminal } from './ui/fitted.ts';
import { version } from './version.ts';

/** Parts that a test replaces; everything else is what users run. */
export interface Replacements {
  readonly files?: FilesPort;
  readonly clock?: ClockPort;
  readonly gpu?: GpuPort;
}

/** Keeps the first result: two uses of a port share one connection. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The composition root: the only place that knows both commands and adapters. */
function createPorts(
  interactive: boolean,
  env: Context['env'],
  signal: AbortSignal,
  replacements: Replacements,
): Ports {
  const endpoint = once(async () => (await import('./adapters/docker/endpoint.ts')).resolveEndpoint(env));
  const docker = once(async () =>
    (await import('./adapters/docker/index.ts')).createDocker(await endpoint()),
  );
  return {
    files: replacements.files ?? nodeFiles,
    crypto: nodeCrypto,
    prompt: createPrompt(interactive, signal),
    system: createSystem(env),
    scanner: once(async () =>
      (await import('./adapters/scanner/index.ts')).createScanner({ crypto: nodeCrypto }),
    ),
    templates: once(async () => (await import('./adapters/templates/index.ts')).createTemplates()),
    docker,
    compose: once(async () =>
      (await import('./adapters/compose-cli/index.ts')).createCompose(await endpoint(), env),
    ),
    nodeApi: once(async () => (await import('./adapters/node-api/index.ts')).createNodeApi()),
    postApi: once(async () => (await import('./adapters/post-api/index.ts')).createPostApi(await docker())),
    localDatabase: once(async () => (await import('./adapters/sqlite/index.ts')).createLocalDatabase()),
    databaseVersion: once(async () =>
      (await import('./adapters/sqlite/user-version.ts')).createDatabaseVersion(),
    ),
    databaseEditor: once(async () => (await import('./adapters/sqlite/editor.ts')).createDatabaseEditor()),
    age: once(async () => (await import('./adapters/age/index.ts')).createAge()),
    registry: once(async () => (await import('./adapters/registry/index.ts')).createRegistry()),
    host: once(async () => (await import('./adapters/host/index.ts')).createHost(env)),
    poetApi: once(async () => (await import('./adapters/poet-api/index.ts')).createPoetApi()),
    clockSources: once(async () => (await import('./adapters/clock-sources/index.ts')).createClockSources()),
    databaseShape: once(async () => (await import('./adapters/sqlite/shape.ts')).createDatabaseShape()),
    archive: once(async () => (await import('./adapters/archive/index.ts')).nodeArchive),
    diskSpeed: once(async () => (await import('./adapters/disk-speed/index.ts')).createDiskSpeed()),
    gpu: once(async () => replacements.gpu ?? (await import('./adapters/gpu/index.ts')).createGpu({ env })),
  };
}

/** The first Ctrl-C ends cleanly; the second is for those who cannot wait. */
function listenForSignals(out: OutputPort): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(ExitCode.cancelled);
    out.note(`\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: ending cleanly. Once more ends at once.`);
    controller.abort(new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const stop = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  return { signal: controller.signal, stop };
}

/** What was waiting when Ctrl-C came ends with an AbortError of its own: no bug, and 130 like any other. */
function cancelledBy(error: unknown, signal: AbortSignal | undefined): unknown {
  const isAbort = error instanceof Error && (error.name === 'AbortError' || error === signal?.reason);
  return signal?.aborted === true && isAbort ? signal.reason : undefined;
}

function report(thrown: unknown, out: OutputPort | undefined, json: boolean, debug: boolean): number {
  const error = explainSystemError(thrown) ?? thrown;
  if (error instanceof SmeshError) {
    if (json) {
      const { code, message, hint, details, exitCode, facts } = error;
      const document = {
        schemaVersion: 1,
        error: {
          code,
          message,
          exitCode,
          details,
          ...(hint === undefined ? {} : { hint }),
          ...(facts === undefined ? {} : { facts }),
        },
      };
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    } else {
      // In a log or a pipe a line break in the middle of a path is in the way.
      const columns = process.stderr.isTTY === true ? (out?.columns ?? 100) : Number.POSITIVE_INFINITY;
      process.stderr.write(`${formatError(error, columns)}\n`);
    }
    return error.exitCode;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = debug || error instanceof Error === false ? stack : stack.split('\n').slice(0, 6).join('\n');
  if (json) {
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(
      `${JSON.stringify({ schemaVersion: 1, error: { code: 'bug', message, exitCode: 1 } }, null, 2)}\n`,
    );
  }
  process.stderr.write(
    `This is a bug in smesh-compose ${version}; please report it with these lines:\n${text}\n`,
  );
  return ExitCode.bug;
}

/** Runs one command line and answers its exit code; prints its own errors. */
export async function main(argv: readonly string[], replacements: Replacements = {}): Promise<number> {
  const env = process.env;
  const json = asksForJson(argv);
  let out: OutputPort | undefined;
  let global: GlobalOptions | undefined;
  let signals: ReturnType<typeof listenForSignals> | undefined;
  endWithReader();
  try {
    const parsed = await parseCommandLine(argv, version, {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
    });
    if (parsed.kind === 'answered') return parsed.exitCode;
    global = parsed.global;
    const terminal = createTerminal({ env, json, quiet: global.quiet, color: global.color });
    out = fitToTerminal(terminal, {
      ...(process.stdout.isTTY === true ? { stdout: terminal.columns } : {}),
      ...(process.stderr.isTTY === true ? { stderr: terminal.columns } : {}),
    });
    signals = listenForSignals(out);
    const context: Context = {
      // Its paths stand in compose.yaml: by way of a link (`-C`) they would be others, and recreate containers.
      directory: await realDirectory(resolve(global.directory)),
      env,
      out,
      clock: replacements.clock ?? systemClock,
      ports: createPorts(out.interactive, env, signals.signal, replacements),
      signal: signals.signal,
      json,
      yes: global.yes,
    };
    return await parsed.spec.run(parsed.invocation, context);
  } catch (error) {
    const reason = cancelledBy(error, signals?.signal);
    return report(reason ?? error, out, json, global?.debug ?? env.SMESH_DEBUG !== undefined);
  } finally {
    signals?.stop();
  }
}
