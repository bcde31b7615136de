import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { parseProject } from '../../domain/project/parse.ts';
import type { Diagnostic, Project } from '../../domain/project/types.ts';
import type { DockerPort, EngineFacts } from '../../ports/docker.ts';
import type { PoetAnswer } from '../../ports/poet-api.ts';
import type { Context } from '../context.ts';
import { PROJECT_FILE } from '../load-project.ts';
import { type EngineObservation, observeEngine } from '../up/observe-engine.ts';
import type { SeenData } from './data.ts';

export type ProjectLook =
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'read'; readonly project: Project; readonly warnings: readonly Diagnostic[] };

export type EngineLook =
  | { readonly kind: 'usable'; readonly docker: DockerPort; readonly facts: EngineFacts }
  | { readonly kind: 'unusable'; readonly error: SmeshError };

/** What several checks look at: each asked once, by whoever comes first. None of these rejects. */
export interface SharedLooks {
  readonly project: ProjectLook;
  engine(): Promise<EngineLook>;
  /** Every container of the engine; `undefined` where it cannot be asked. */
  containers(): Promise<readonly ObservedContainer[] | undefined>;
  /** What Compose makes of the project; `undefined` without one, or when Compose refuses it. */
  observation(): Promise<EngineObservation | undefined>;
  /** In the order of `poet.servers`; empty where there is nothing to ask. */
  poets(): Promise<readonly PoetAnswer[]>;
  data(): Promise<readonly SeenData[]>;
  /** Paths that hang when they are touched, of data and node; what works on them has to be left out. */
  hanging(): Promise<readonly string[]>;
}

/** Milliseconds for each question; an engine with 150 containers takes its time. */
export interface Patience {
  readonly serverMs: number;
  readonly engineMs: number;
}

/** Reads smesh.yaml; never rejects for what stands in it. */
export async function lookAtProject(context: Context): Promise<ProjectLook> {
  const text = await context.ports.files.readTextIfPresent(`${context.directory}/${PROJECT_FILE}`);
  if (text === undefined) return { kind: 'none' };
  const result = parseProject(text, { directory: context.directory });
  return result.ok
    ? { kind: 'read', project: result.project, warnings: result.warnings }
    : { kind: 'invalid', diagnostics: result.diagnostics };
}

/** Remembers the first answer: what several checks need is asked once. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}

/** `undefined` when it takes too long; the question goes on unheard, and its failure too. */
export async function inTime<T>(context: Context, question: Promise<T>, ms: number): Promise<T | undefined> {
  const answered = new AbortController();
  question.catch(() => undefined);
  const late = context.clock.sleep(ms, answered.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([question, late]);
  } finally {
    // Else the process would wait for the end of the time.
    answered.abort();
  }
}

/** Asks the engine about itself; one that is silent is as unusable as none. */
export async function lookAtEngine(context: Context, patience: Patience): Promise<EngineLook> {
  try {
    const docker = await context.ports.docker();
    const facts = await inTime(context, docker.engine(), patience.engineMs);
    if (facts !== undefined) return { kind: 'usable', docker, facts };
    return {
      kind: 'unusable',
      error: new SmeshError(
        'engine-silent',
        ExitCode.environment,
        `The engine at ${docker.endpoint} does not answer within ${patience.engineMs / 1000} s`,
        { hint: 'sudo systemctl status docker' },
      ),
    };
  } catch (error) {
    if (error instanceof SmeshError) return { kind: 'unusable', error };
    throw error;
  }
}

/** All containers, or `undefined` where the engine cannot be asked. */
export async function lookAtContainers(
  context: Context,
  engine: EngineLook,
  patience: Patience,
): Promise<readonly ObservedContainer[] | undefined> {
  if (engine.kind === 'unusable') return undefined;
  return inTime(
    context,
    engine.docker.containers().catch((error: unknown) => {
      if (error instanceof SmeshError) return undefined;
      throw error;
    }),
    patience.engineMs,
  );
}

/** What Compose makes of project and override; `undefined` when either part cannot be used. */
export async function observeForDoctor(
  context: Context,
  project: ProjectLook,
  engine: EngineLook,
  patience: Patience,
): Promise<EngineObservation | undefined> {
  if (project.kind !== 'read' || engine.kind === 'unusable') return undefined;
  const asked = observeEngine(context, { name: project.project.name, directory: context.directory });
  return inTime(
    context,
    asked.catch((error: unknown) => {
      // Why Compose refuses is said by the checks of Compose and of the files.
      if (error instanceof SmeshError) return undefined;
      throw error;
    }),
    patience.engineMs,
  );
}
