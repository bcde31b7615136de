import type { NotExpressible, NotTaken } from '../domain/adopt/found.ts';
import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import { formatGoDuration } from '../domain/project/duration.ts';
import type { Project } from '../domain/project/types.ts';
import { printable } from './text.ts';
import { plural } from './units.ts';

/** What `adopt` shows; the use case's report has more. */
export interface ShownAdoption {
  readonly path: string;
  /** smesh.yaml. */
  readonly text: string;
  readonly changed: boolean;
  readonly project: Project;
  readonly identities: readonly {
    readonly id: SmesherId;
    readonly name: string;
    readonly data: string;
    readonly program: { readonly where: string };
  }[];
  readonly notExpressible: readonly NotExpressible[];
  readonly notTaken: readonly NotTaken[];
  readonly warnings: readonly string[];
  readonly move: {
    readonly lines: readonly string[];
    readonly recreated: readonly string[];
    readonly first: readonly { readonly name: string }[];
  };
}

/** Before it is written: what was found and what smesh.yaml cannot say. After: how to go on. */
export function renderAdoption(
  report: ShownAdoption,
  { dryRun, written }: { readonly dryRun: boolean; readonly written: boolean },
): string {
  const lines = written ? [] : [...found(report), ...left(report), ...notTaken(report), ...warnings(report)];
  const nothing = 'No container, no key and no database was changed.';
  if (!report.changed)
    return [...lines, `${report.path} says all of it already; nothing was written. ${nothing}`].join('\n');
  if (dryRun) return [...lines, `${report.path} would be written, and nothing else. ${nothing}`].join('\n');
  if (!written) return lines.join('\n');
  return [`${report.path} is written. ${nothing}`, '', 'How to go on', ...report.move.lines.map(indent)].join(
    '\n',
  );
}

const indent = (line: string) => `  ${printable(line)}`;

function found({ project, identities }: ShownAdoption): readonly string[] {
  const { node, poet, network } = project;
  const name = Math.max(...identities.map((identity) => identity.name.length), 4);
  return [
    `${project.name} · ${network.name} · one node and ${plural(identities.length, 'post-service')}`,
    indent(`${'node'.padEnd(name)}  ${node.image}  data in ${node.data}`),
    indent(
      `${'poet'.padEnd(name)}  ${plural(poet.servers.length, 'server')}, phase shift ${formatGoDuration(poet.phaseShift)}, cycle gap ${formatGoDuration(poet.cycleGap)}`,
    ),
    ...identities.map((identity) =>
      indent(
        `${identity.name.padEnd(name)}  ${shortId(identity.id)}  ${identity.data}  (${identity.program.where})`,
      ),
    ),
    '',
  ];
}

function left({ notExpressible }: ShownAdoption): readonly string[] {
  if (notExpressible.length === 0) return [];
  // What all provers of a farm have alike is said once.
  const alike = new Map<string, { entry: NotExpressible; services: string[] }>();
  for (const entry of notExpressible) {
    const same = alike.get(JSON.stringify([entry.key, entry.value, entry.meaning]));
    if (same === undefined)
      alike.set(JSON.stringify([entry.key, entry.value, entry.meaning]), {
        entry,
        services: [entry.service],
      });
    else same.services.push(entry.service);
  }
  return [
    'What smesh.yaml does not say',
    ...[...alike.values()].flatMap(({ entry, services }) => [
      indent(`${several(services)}  ${entry.key}: ${entry.value}`),
      indent(`  ${entry.meaning}`),
    ]),
    '',
  ];
}

function several(services: readonly string[]): string {
  if (services.length <= 3) return services.join(', ');
  return `${services.slice(0, 2).join(', ')} and ${services.length - 2} more`;
}

function notTaken(report: ShownAdoption): readonly string[] {
  if (report.notTaken.length === 0) return [];
  return ['Not taken over', ...report.notTaken.map(({ service, why }) => indent(`${service}: ${why}`)), ''];
}

function warnings(report: ShownAdoption): readonly string[] {
  if (report.warnings.length === 0) return [];
  return ['To be looked at before the node is started from here', ...report.warnings.map(indent), ''];
}

export function adoptionToJson(report: ShownAdoption): Readonly<Record<string, unknown>> {
  const { path, text, changed, project, identities, notExpressible, move } = report;
  return {
    path,
    changed,
    text: withoutPoetKey(text, project),
    project: {
      name: project.name,
      network: project.network.name,
      coinbase: project.coinbase,
      node: { image: project.node.image, data: project.node.data, ports: project.node.ports },
      poet: {
        servers: project.poet.servers,
        phaseShift: project.poet.phaseShift,
        cycleGap: project.poet.cycleGap,
      },
    },
    identities: identities.map(({ id, name, data, program }) => ({ id, name, data, from: program.where })),
    notExpressible,
    notTaken: report.notTaken,
    warnings: report.warnings,
    next: { recreated: move.recreated, first: move.first.map(({ name }) => name), steps: move.lines },
  };
}

/** smesh.yaml to be looked at: the throw-away key of a private network's PoET is no identity, and still not for logs. */
export function withoutPoetKey(text: string, { network }: Project): string {
  return network.poetPrivateKey === undefined ? text : text.replaceAll(network.poetPrivateKey, '(not shown)');
}
