import { digestOf } from '../digest.ts';
import { nodeConfigText } from '../node/config.ts';
import type { GpuVendor, Project } from '../project/types.ts';
import { buildCompose } from './build.ts';
import { emitCompose } from './emit.ts';
import { NODE_CONFIG_PATH } from './node.ts';
import { ORCHESTRATOR_FOLDER } from './orchestrator.ts';
import { hasHeader, withHeader } from './ownership.ts';
import type { GeneratedFile, GenerationInputs, TemplateRequest } from './types.ts';

export const COMPOSE_PATH = 'compose.yaml';
export const RUNBOOK_PATH = 'RUNBOOK.md';

const HEADER_NOTES = [
  'from smesh.yaml.',
  'Change smesh.yaml and run: smesh-compose generate. What is written here by hand is in the way of that;',
  'your own additions belong into compose.override.yaml, which Compose merges in by itself.',
];

/** Generated from templates: path in the project and name of the template. */
interface TemplatedFile extends TemplateRequest {
  readonly path: string;
}

const INIT_TEMPLATES: Readonly<Record<GpuVendor, readonly { path: string; template: string }[]>> = {
  nvidia: [{ path: 'init/nvidia.icd', template: 'nvidia.icd' }],
  amd: [{ path: 'init/Dockerfile', template: 'init-amd.Dockerfile' }],
  intel: [{ path: 'init/Dockerfile', template: 'init-intel.Dockerfile' }],
  cpu: [],
};

function hasJobs(project: Project): boolean {
  return (project.initialisation?.jobs.length ?? 0) > 0;
}

/** What templates need beside the project. */
export type TemplateInputs = Pick<GenerationInputs, 'directory' | 'toolVersion' | 'projectOwner'>;

/** The schedule as a service of systemd, always; and, where it is wanted, the Dockerfile of the orchestrator. */
function scheduleFiles(project: Project, inputs: TemplateInputs): readonly TemplatedFile[] {
  const { directory, toolVersion, projectOwner } = inputs;
  const path = `systemd/smesh-compose-${project.name}.service`;
  const unit: TemplatedFile = {
    path,
    template: 'systemd.service',
    values: {
      project: project.name,
      file: `${directory}/${path}`,
      directory: systemdText(directory),
      user: projectOwner === undefined ? '' : `${projectOwner.uid}`,
    },
  };
  if (!project.schedule.orchestrator) return [unit];
  const values = { image: project.schedule.image, version: toolVersion };
  return [unit, { path: `${ORCHESTRATOR_FOLDER}/Dockerfile`, template: 'orchestrator.Dockerfile', values }];
}

/** systemd puts something in place of `%`; blanks and quotes in a path mean themselves. */
function systemdText(path: string): string {
  return path.replaceAll('%', '%%');
}

function templatedFiles(project: Project, inputs: TemplateInputs): readonly TemplatedFile[] {
  const { initialisation, identities, node } = project;
  const runbook: TemplatedFile = {
    path: RUNBOOK_PATH,
    template: 'runbook.md',
    values: {
      project: project.name,
      network: project.network.name,
      nodeData: node.data,
      publicPort: node.ports.publicApi,
      privatePort: node.ports.privateApi,
      p2pPort: node.ports.p2p,
      firstProver: identities[0]?.name ?? 'post-0001',
      hasJobs: hasJobs(project),
      firstJob: initialisation?.jobs[0]?.name ?? '',
    },
  };
  const init = hasJobs(project) && initialisation !== undefined ? INIT_TEMPLATES[initialisation.gpu] : [];
  return [
    runbook,
    ...scheduleFiles(project, inputs),
    ...init.map((file) => ({ ...file, values: { image: initialisation?.image ?? '' } })),
  ];
}

/** What the caller has to render first; hand the texts back as `GenerationInputs.rendered`, by template name. */
export function templateRequests(project: Project, inputs: TemplateInputs): readonly TemplateRequest[] {
  return templatedFiles(project, inputs).map(({ template, values }) => ({ template, values }));
}

/** Whose fragment (`compose/init/<gpu>.yaml`) the caller has to read; `undefined` when there are no jobs. */
export function fragmentFor(project: Project): GpuVendor | undefined {
  return hasJobs(project) ? project.initialisation?.gpu : undefined;
}

/**
 * Every file that follows from the model, in the order in which they are to be written: compose.yaml comes last, because
 * it holds the digests of files that can carry none themselves. Deterministic; equal inputs give equal bytes.
 */
export function generatedFiles(project: Project, inputs: GenerationInputs): readonly GeneratedFile[] {
  const config = nodeConfigText(project);
  const bodies = [
    { path: NODE_CONFIG_PATH, body: config },
    ...templatedFiles(project, inputs).map(({ path, template }) => {
      const body = inputs.rendered.get(template);
      if (body === undefined) throw new Error(`template ${template} was not rendered`);
      return { path, body };
    }),
  ];
  const digests = bodies
    .filter(({ path }) => !hasHeader(path))
    .map(({ path, body }) => [path, `sha256:${digestOf(body)}`] as const);
  const compose = emitCompose({
    ...buildCompose(project, config, inputs),
    'x-smesh-compose': { files: Object.fromEntries(digests) },
  });
  return [...bodies, { path: COMPOSE_PATH, body: compose }].map(({ path, body }) => ({
    path,
    content: withHeader(path, body, inputs.toolVersion, HEADER_NOTES),
    mode: 0o644,
  }));
}
