import { ExitCode, SmeshError } from '../domain/errors.ts';
import { formatDiagnostic } from '../domain/project/diagnostics.ts';
import { requireProject } from '../domain/project/parse.ts';
import type { Project } from '../domain/project/types.ts';
import type { Context } from './context.ts';

export const PROJECT_FILE = 'smesh.yaml';

export interface LoadedProject {
  readonly project: Project;
  /** smesh.yaml as it stands. */
  readonly text: string;
}

/** smesh.yaml of the project directory, or `undefined` when there is none. Faults are thrown with their lines (exit 3). */
export async function loadProjectIfPresent(context: Context): Promise<LoadedProject | undefined> {
  const text = await context.ports.files.readTextIfPresent(`${context.directory}/${PROJECT_FILE}`);
  if (text === undefined) return undefined;
  const { project, warnings } = requireProject(text, { directory: context.directory });
  for (const warning of warnings) context.out.warn(formatDiagnostic(warning));
  return { project, text };
}

/** The project that a command works on; without one it says how to get one (exit 3). */
export async function loadProject(context: Context): Promise<LoadedProject> {
  const loaded = await loadProjectIfPresent(context);
  if (loaded !== undefined) return loaded;
  throw new SmeshError(
    'no-project',
    ExitCode.invalid,
    `There is no ${PROJECT_FILE} in ${context.directory}`,
    {
      hint: 'Make a project with: smesh-compose init   (or name its directory: -C DIR)',
    },
  );
}
