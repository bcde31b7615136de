import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import { judgeImages, type ServiceImages } from '../../domain/doctor/images.ts';
import { judgeMemory } from '../../domain/doctor/memory.ts';
import { judgeOverride } from '../../domain/doctor/override.ts';
import { judgeRestarters } from '../../domain/doctor/restarters.ts';
import { judgeUpdaters } from '../../domain/doctor/updaters.ts';
import { several } from '../../domain/doctor/words.ts';
import { SmeshError } from '../../domain/errors.ts';
import type { Diagnostic, Project } from '../../domain/project/types.ts';
import { COMPOSE_OVERRIDES } from '../../ports/compose.ts';
import type { Context } from '../context.ts';
import { planGenerate } from '../generate.ts';
import { readInterrupted } from '../journal.ts';
import type { SharedLooks } from './look.ts';

/** What smesh.yaml itself is like, and whether a command was killed. */
export async function checkProjectFile(
  context: Context,
  looks: SharedLooks,
): Promise<readonly DoctorFinding[]> {
  const { project: look } = looks;
  if (look.kind === 'none') {
    return [
      finding('project-none', {
        message: 'There is no smesh.yaml here: only host, engine and clock were looked at',
        evidence: context.directory,
        remedy: 'Name the folder of a project: -C DIR   or make one: smesh-compose init',
      }),
    ];
  }
  const interrupted = await checkInterrupted(context);
  if (look.kind === 'invalid') return [...look.diagnostics.map(judgeDiagnostic), ...interrupted];
  const { project } = look;
  const found = [
    ...look.warnings.map((warning) =>
      finding('project-doubtful', {
        subject: warning.path ?? 'smesh.yaml',
        message: warning.message,
        evidence: place(warning),
        remedy: 'Edit smesh.yaml, then: smesh-compose plan',
      }),
    ),
    ...interrupted,
  ];
  if (found.length > 0) return found;
  return [
    finding('project-ok', {
      message: 'smesh.yaml can be read and holds together',
      evidence: `${project.name}: ${project.network.name}, ${project.identities.length} identities`,
      measured: { network: project.network.name, identities: project.identities.length },
    }),
  ];
}

function judgeDiagnostic(diagnostic: Diagnostic): DoctorFinding {
  const image = /(^|\.)image$/.test(diagnostic.path ?? '');
  return finding(image ? 'image-broken' : 'project-invalid', {
    ...(diagnostic.severity === 'warning' ? { severity: 'warning' as const } : {}),
    subject: diagnostic.path ?? diagnostic.file,
    message: diagnostic.message,
    evidence: place(diagnostic),
    remedy: 'Edit smesh.yaml there; smesh-compose generate --check   says whether it is right',
  });
}

function place({ file, line, column }: Diagnostic): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

async function checkInterrupted(context: Context): Promise<readonly DoctorFinding[]> {
  try {
    const interrupted = await readInterrupted(context.ports, context.directory);
    if (interrupted === undefined) return [];
    return [
      finding('project-interrupted', {
        subject: interrupted.command,
        message: 'A command was killed before it had finished; the next one finishes it first',
        evidence: `${interrupted.command} of ${interrupted.startedAt}, ${interrupted.steps.length} steps`,
        measured: { startedAt: interrupted.startedAt, steps: interrupted.steps.length },
        remedy: 'smesh-compose generate',
      }),
    ];
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    return [
      finding('project-interrupted', {
        severity: 'error',
        subject: '.smesh/journal',
        message: error.message,
        evidence: error.code,
        ...(error.hint === undefined ? {} : { remedy: error.hint }),
      }),
    ];
  }
}

export async function checkMemory(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const engine = await looks.engine();
  const total = engine.kind === 'usable' ? engine.facts.memoryBytes : context.ports.system.totalMemoryBytes;
  return judgeMemory(looks.project.project.identities, total);
}

export async function checkImages(looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { project } = looks.project;
  const [observation, containers] = await Promise.all([looks.observation(), looks.containers()]);
  const wanted: readonly { service: string; wanted: string; wantedId?: string }[] =
    observation === undefined
      ? [
          { service: 'node', wanted: project.node.image },
          ...project.identities.map(({ name, image }) => ({ service: name, wanted: image })),
        ]
      : observation.desired
          .filter(({ role }) => role !== 'other')
          .map(({ name, image, imageId }) => ({
            service: name,
            wanted: image,
            ...(imageId === undefined ? {} : { wantedId: imageId }),
          }));
  const services = wanted.map((service): ServiceImages => {
    const own = (containers ?? []).filter(
      (one) => one.project === project.name && !one.oneOff && one.service === service.service,
    );
    const container = own.find(({ state }) => state === 'running') ?? own[0];
    if (container === undefined) return service;
    const { image, imageId, state } = container;
    return { ...service, present: { image, imageId, running: state === 'running' } };
  });
  const imageOf = (name: string) => services.find(({ service }) => service === name)?.wanted;
  return judgeImages(services, {
    node: imageOf('node') ?? project.node.image,
    provers: project.identities.map(({ name, image, remoteK2pow }) => ({
      image: imageOf(name) ?? image,
      remoteK2pow: remoteK2pow !== undefined,
    })),
    ...(project.initialisation === undefined ? {} : { initialisation: project.initialisation.image }),
  });
}

export async function checkFiles(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { project } = looks.project;
  const hanging = await looks.hanging();
  const found = [
    ...(hanging.length > 0 ? [notLookedAt('files', hanging)] : await checkGenerated(context, project)),
    ...(await checkOverride(context, project)),
  ];
  if (found.length > 0) return found;
  return [
    finding('files-ok', {
      message: 'The generated files say what smesh.yaml says',
      evidence: context.directory,
    }),
  ];
}

/** To touch it would keep this very process from ending. */
function notLookedAt(area: 'keys' | 'files', hanging: readonly string[]): DoctorFinding {
  return finding('check-unknown', {
    area,
    subject: several(hanging, 3),
    message: 'This check was left out: what it would look at does not answer',
    evidence: `${hanging.length} folders hang when they are opened`,
    measured: { hanging: hanging.length },
    remedy: 'sudo dmesg | tail -50   tells of disks and shares that hang',
  });
}

async function checkGenerated(context: Context, project: Project): Promise<readonly DoctorFinding[]> {
  try {
    // Forced, it does not stop at an edit but tells of it; nothing is written by a plan.
    const plan = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: true });
    const edited = plan.outdated.filter(({ state }) => state === 'edited' || state === 'foreign');
    const old = plan.outdated.filter((file) => !edited.includes(file));
    const paths = (files: typeof plan.outdated) => files.map(({ path }) => path);
    return [
      ...(edited.length === 0
        ? []
        : [
            finding('files-edited', {
              subject: several(paths(edited)),
              message:
                'These were changed by hand since smesh-compose wrote them (or are not of its making), and generate and up refuse to overwrite them',
              evidence: `${edited.length} of the generated files`,
              measured: { files: edited.length },
              remedy:
                'smesh-compose generate --check   shows the difference; say it in smesh.yaml or in the override file',
            }),
          ]),
      ...(old.length === 0
        ? []
        : [
            finding('files-outdated', {
              subject: several(paths(old)),
              message: 'These do not say what smesh.yaml says: what runs is not what you wrote',
              evidence: `${old.length} of the generated files; ${old.filter(({ state }) => state === 'absent').length} are not there`,
              measured: { files: old.length },
              remedy: 'smesh-compose plan   shows what follows, smesh-compose generate   writes them',
            }),
          ]),
    ];
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    return [
      finding('files-refused', {
        subject: error.code,
        message: error.message.replace(/\.?( Nothing was changed)?\.$/, ''),
        evidence: [`generate would end with exit ${error.exitCode}`, ...error.details.slice(0, 5)].join('; '),
        measured: { code: error.code, exitCode: error.exitCode },
        remedy: 'smesh-compose generate --dry-run   says all of it',
      }),
    ];
  }
}

async function checkOverride(context: Context, project: Project): Promise<readonly DoctorFinding[]> {
  const provers = new Set(project.identities.map(({ name }) => name));
  for (const file of COMPOSE_OVERRIDES) {
    const text = await context.ports.files.readTextIfPresent(`${context.directory}/${file}`);
    if (text !== undefined) return judgeOverride({ file, text, provers });
  }
  return [];
}

export async function checkUpdaters(looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const { name } = looks.project.project;
  const containers = (await looks.containers())?.map((container) => ({
    ...container,
    running: container.state === 'running',
  }));
  if (containers === undefined) return [];
  const own = containers.filter(({ project }) => project === name);
  return [
    ...judgeUpdaters(
      own,
      containers.filter(({ project }) => project !== name),
    ),
    ...judgeRestarters(own, containers),
  ];
}
