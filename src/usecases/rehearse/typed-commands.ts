import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Identity, Project } from '../../domain/project/types.ts';
import { renderStatus } from '../../ui/status.ts';
import type { Context } from '../context.ts';
import { extendProject } from '../init/extend-project.ts';
import { loadProject } from '../load-project.ts';
import { observeProject } from '../observe.ts';
import { withProjectLock } from '../project-lock.ts';
import { buildReport } from '../status/report.ts';
import { runUp, showPlan } from '../up.ts';
import { type RehearsalFolder, shownPath } from './folder.ts';
import { projectContext } from './project-context.ts';

/** More than the node needs to be ready on a slow machine; a start that takes longer has failed. */
const START_TIMEOUT_MS = 5 * 60_000;

/**
 * The commands of a rehearsal as a person would type them: each is shown, and done by the use case that the command line
 * would call.
 */
export class TypedCommands {
  readonly #outer: Context;
  readonly #inner: Context;
  readonly #folder: RehearsalFolder;

  constructor(context: Context, folder: RehearsalFolder) {
    this.#outer = context;
    this.#inner = projectContext(context, folder.project);
    this.#folder = folder;
  }

  async project(): Promise<Project> {
    return (await loadProject(this.#inner)).project;
  }

  /** Without questions. Answers all identities of the project; throws (exit 3) unless there are so many. */
  async init(wanted: number): Promise<readonly Identity[]> {
    const { disks } = this.#folder;
    this.#show('init', '--yes', '--data', shownPath(disks));
    await withProjectLock(this.#inner, 'init', async () =>
      extendProject(this.#inner, 'init', await loadProject(this.#inner), {
        roots: [disks],
        keys: [],
        ignore: [],
        repairKeys: false,
        dryRun: false,
        force: false,
      }),
    );
    const { identities } = await this.project();
    if (identities.length === wanted) return identities;
    throw new SmeshError(
      'rehearsal-failed',
      ExitCode.invalid,
      `The rehearsal failed. Not kept: init finds all ${wanted} identities (it has ${identities.length})`,
    );
  }

  async plan(): Promise<void> {
    this.#show('plan');
    await showPlan(this.#inner, { services: [], force: false }, () => ExitCode.ok);
  }

  /** Throws (exit 6) unless all comes up healthy. */
  async up(): Promise<void> {
    this.#show('up');
    const exitCode = await runUp(this.#inner, {
      services: [],
      force: false,
      dryRun: false,
      healthyWithinMs: START_TIMEOUT_MS,
    });
    if (exitCode === ExitCode.ok) return;
    throw new SmeshError(
      'rehearsal-failed',
      ExitCode.unhealthy,
      'The rehearsal failed. Not kept: node and post-services come up healthy',
    );
  }

  async status(): Promise<void> {
    this.#show('status');
    const { ports, clock, out, directory } = this.#inner;
    const project = await this.project();
    const observation = await observeProject(ports, project, clock);
    const report = buildReport({ directory, project, observation });
    const lines = renderStatus(report, {
      columns: out.columns,
      color: out.color,
      all: true,
      localOffsetMinutes: (at) => clock.localOffsetMinutes(at),
    });
    out.note(lines.join('\n'));
    if (report.identities.some(({ state }) => state.wants === 'unknown')) {
      out.note('(?: in the first two minutes after its start, what the node says it wants does not count)');
    }
  }

  #show(...words: readonly string[]): void {
    const command = ['smesh-compose', '-C', shownPath(this.#folder.project), ...words].join(' ');
    this.#outer.out.note(`   $ ${command}`);
  }
}
