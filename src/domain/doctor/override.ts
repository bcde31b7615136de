import { parseDocument } from 'yaml';
import { isMapping } from '../is-mapping.ts';
import { inspectImage } from '../node/images.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { several } from './words.ts';

export interface OverrideLook {
  /** `compose.override.yaml` */
  readonly file: string;
  readonly text: string;
  /** Services of this project's provers. */
  readonly provers: ReadonlySet<string>;
}

/** Decides what in the user's own override works against the project (design §5; spacemesh.md §14.6). */
export function judgeOverride({ file, text, provers }: OverrideLook): readonly DoctorFinding[] {
  const services = readServices(text);
  if (services === undefined) {
    return [
      finding('override-malformed', {
        subject: file,
        message: 'The override file cannot be read: Compose would refuse it, too',
        evidence: firstFault(text),
        remedy: 'docker compose config   says where',
      }),
    ];
  }
  const found: DoctorFinding[] = [];
  const named = (test: (name: string, service: Readonly<Record<string, unknown>>) => boolean) =>
    Object.entries(services).flatMap(([name, service]) =>
      isMapping(service) && test(name, service) ? [name] : [],
    );
  const always = named((name, { restart }) => provers.has(name) && restart === 'always');
  if (always.length > 0) {
    found.push(
      finding('override-restart-always', {
        subject: several(always),
        message:
          'restart: always starts these again after every reboot, also those that were stopped because memory or disk is for others',
        evidence: `${file}: ${always.length} of ${provers.size} post-services`,
        measured: { services: always.length },
        remedy: `Take it out of ${file}: the project's own unless-stopped brings back what was running`,
      }),
    );
  }
  const tied = named(
    (name, service) =>
      provers.has(name) && (service['depends_on'] !== undefined || sharesNetwork(service['network_mode'])),
  );
  if (tied.length > 0) {
    found.push(
      finding('override-depends-on', {
        subject: several(tied),
        message:
          'Compose recreates these whenever it recreates what they depend on, and all their proofs in progress are lost',
        evidence: `${file}: depends_on or network_mode: service of ${tied.length} post-services`,
        measured: { services: tied.length },
        remedy: `Take it out of ${file}: post-services find the node by name and need no order`,
      }),
    );
  }
  for (const [name, service] of Object.entries(services)) {
    const image = isMapping(service) ? service['image'] : undefined;
    if (typeof image !== 'string' || !inspectImage(image).some(({ message }) => /moves with/.test(message)))
      continue;
    found.push(
      finding('override-image', {
        subject: name,
        message: 'This image moves with every release: the next pull swaps programs under running proofs',
        evidence: `${file}: ${image}`,
        remedy: `Name a release in ${file}, or say it in smesh.yaml`,
      }),
    );
  }
  return found;
}

function sharesNetwork(mode: unknown): boolean {
  return typeof mode === 'string' && mode.startsWith('service:');
}

function readServices(text: string): Readonly<Record<string, unknown>> | undefined {
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  if (value === null || value === undefined) return {};
  if (!isMapping(value)) return undefined;
  const { services } = value;
  if (services === undefined || services === null) return {};
  return isMapping(services) ? services : undefined;
}

/** Where it goes wrong, without quoting the line: it may hold a secret. */
function firstFault(text: string): string {
  const [error] = parseDocument(text, { logLevel: 'silent' }).errors;
  const line = error?.linePos?.[0]?.line;
  return line === undefined ? 'it is no mapping of services' : `YAML fault in line ${line} (${error?.code})`;
}
