import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { namesFor, PROJECT_NAME, projectNameFor, RESERVED_NAMES, SERVICE_NAME } from '../project/name.ts';
import { type NewIdentity, type NewProject, newProjectText, yamlText } from '../project/new-project.ts';
import type { ProverSettings } from '../project/types.ts';
import type { FoundProgram, NotExpressible, NotTaken } from './found.ts';
import type { NodeReading } from './node.ts';
import { type FoundProver, proverSettings } from './prover.ts';

/** What the disk says of a post-service's directory. */
export type DataLook =
  | { readonly kind: 'identity'; readonly path: string; readonly smesherId: SmesherId }
  | { readonly kind: 'none'; readonly why: string };

export interface AdoptedKey {
  readonly file: string;
  /** Absent: it is no key that the node would take, or may not be read. */
  readonly smesherId?: SmesherId;
}

export interface AdoptFacts {
  /** Absolute folder of smesh.yaml. */
  readonly directory: string;
  /** What was named, for the first line of the file. */
  readonly source: string;
  /** Name to be had; absent: that of the Compose project, else of the folder. */
  readonly name?: string;
  readonly node: FoundProgram;
  readonly reading: NodeReading;
  readonly provers: readonly { readonly prover: FoundProver; readonly look: DataLook }[];
  /** In the node's `identities/`; `unknown` where it may not be read. */
  readonly keys: readonly AdoptedKey[] | 'unknown';
  readonly k2powSlots?: number;
  /** Of an existing project: names that are not free. */
  readonly taken?: Parameters<typeof namesFor>[0];
}

export interface AdoptedIdentity {
  readonly id: SmesherId;
  /** In smesh.yaml. */
  readonly name: string;
  readonly data: string;
  readonly program: FoundProgram;
}

export interface Adoption {
  readonly project: NewProject;
  /** smesh.yaml. */
  readonly text: string;
  readonly identities: readonly AdoptedIdentity[];
  readonly notExpressible: readonly NotExpressible[];
  readonly notTaken: readonly NotTaken[];
  /** What has to be looked at before the node is started from here. */
  readonly warnings: readonly string[];
}

/**
 * smesh.yaml that says what was found, and everything that it cannot say (design §4; peers.md §2.12). Decides only; that
 * one identity in two directories is refused is up to the caller.
 */
export function adoptProject(facts: AdoptFacts): Adoption {
  const { node, reading } = facts;
  const found = facts.provers.flatMap(({ prover, look }) =>
    look.kind === 'identity' ? [{ prover, id: look.smesherId, data: look.path }] : [],
  );
  const notTaken = facts.provers.flatMap(({ prover, look }): readonly NotTaken[] =>
    look.kind === 'none' ? [{ service: prover.program.name, why: look.why }] : [],
  );
  const isOwnNode = (host: string) =>
    node.names.includes(host) || host === 'node' || ['localhost', '127.0.0.1', '[::1]'].includes(host);
  const named = nameIdentities(found, facts.taken);
  const settled = found.map(({ prover, id, data }) => ({
    id,
    data,
    program: prover.program,
    name: named.names.get(id) ?? shortId(id),
    ...proverSettings(prover, reading.network, isOwnNode),
  }));
  const { defaults, own } = shareSettings(settled.map(({ settings }) => settings));
  const identities = settled.map(
    ({ id, name, data }, index): NewIdentity => ({ id, name, data, ...own[index] }),
  );
  const name = facts.name ?? projectNameOf(node, settled) ?? projectNameFor(facts.directory);
  const project: NewProject = {
    // Written down even where the folder suggests it: the folder may yet be moved, the containers' name may not.
    name,
    ...reading.parts,
    ...(Object.keys(defaults).length === 0 ? {} : { defaults }),
    identities,
  };
  return {
    project,
    text: `# Adopted from ${facts.source}.\n${newProjectText(project)}${scheduleText(facts.k2powSlots)}`,
    identities: settled.map(({ id, name: service, data, program }) => ({ id, name: service, data, program })),
    notExpressible: [...reading.left, ...named.left, ...settled.flatMap(({ left }) => left)],
    notTaken,
    warnings: keyWarnings(facts, settled),
  };
}

function scheduleText(slots: number | undefined): string {
  if (slots === undefined) return '';
  return `\n# Budgets of the schedule (smesh-compose run), as the former scheduler had them.\n${yamlText({ schedule: { k2pow: slots } })}`;
}

/** The Compose project in which they run, where all that have one agree. */
function projectNameOf(
  node: FoundProgram,
  provers: readonly { program: FoundProgram }[],
): string | undefined {
  const names = [node, ...provers.map(({ program }) => program)].flatMap(
    ({ container, project }) => container?.project ?? project ?? [],
  );
  const [first] = names;
  return first !== undefined && PROJECT_NAME.test(first) && names.every((name) => name === first)
    ? first
    : undefined;
}

/** Its own name where it can be one here; the others are numbered, as by `init`. */
function nameIdentities(
  found: readonly { readonly prover: FoundProver; readonly id: SmesherId }[],
  taken: AdoptFacts['taken'],
): { readonly names: ReadonlyMap<SmesherId, string>; readonly left: readonly NotExpressible[] } {
  const present = taken ?? { identities: [], retired: [] };
  const used = new Set([...present.identities, ...present.retired].map(({ name }) => name));
  const served = new Map(present.identities.map(({ id, name }) => [id, name]));
  const former = new Set(present.retired.map(({ id }) => id));
  const kept = new Map<SmesherId, string>();
  const others: SmesherId[] = [];
  for (const { prover, id } of found) {
    const { name } = prover.program;
    const known = served.get(id);
    // A name stays with its identity for good, also one that was removed.
    if (known !== undefined) kept.set(id, known);
    else if (former.has(id)) others.push(id);
    else if (SERVICE_NAME.test(name) && !RESERVED_NAMES.includes(name) && !used.has(name)) {
      kept.set(id, name);
      used.add(name);
    } else others.push(id);
  }
  const known = {
    identities: [...present.identities, ...[...kept].map(([id, name]) => ({ id, name }))],
    retired: present.retired,
  } as Parameters<typeof namesFor>[0];
  const numbered = namesFor(known, others);
  const left = found.flatMap(({ prover, id }): readonly NotExpressible[] => {
    const name = numbered.get(id);
    if (name === undefined) return [];
    const { name: value } = prover.program;
    const meaning = SERVICE_NAME.test(value)
      ? `is not free for it: becomes ${name}`
      : `becomes ${name}: a service here has small letters, digits and hyphens`;
    return [{ service: value, key: 'name', value, meaning }];
  });
  return { names: new Map([...kept, ...numbered]), left };
}

type Settings = Partial<ProverSettings> & { readonly user?: string };

/** What most provers have goes into `defaults`, and only differences into their entries. */
function shareSettings(all: readonly Settings[]): {
  readonly defaults: Partial<ProverSettings>;
  readonly own: readonly Settings[];
} {
  const defaults: Record<string, unknown> = {};
  for (const key of ['image', 'nonces', 'randomx', 'memory', 'log', 'remoteK2pow'] as const) {
    const counted = new Map<string, number>();
    for (const settings of all) {
      const text = JSON.stringify(settings[key]) ?? '';
      counted.set(text, (counted.get(text) ?? 0) + 1);
    }
    const [most] = [...counted].sort((left, right) => right[1] - left[1]);
    // Somebody without a value would get the default of the others: then each says its own.
    if (most !== undefined && most[0] !== '' && !counted.has('')) defaults[key] = JSON.parse(most[0]);
  }
  const cores = new Set(all.map(({ threads, pinnedCores }) => JSON.stringify([threads, pinnedCores])));
  const [first] = all;
  // Threads and pinned cores exclude each other, so they are shared only where all have the same.
  if (cores.size === 1 && first?.threads !== undefined) defaults['threads'] = first.threads;
  const own = all.map(
    (settings) =>
      Object.fromEntries(
        Object.entries(settings).filter(
          ([key, value]) => JSON.stringify(defaults[key]) !== JSON.stringify(value),
        ),
      ) as Settings,
  );
  return { defaults: defaults as Partial<ProverSettings>, own };
}

/** Keys stay under the names that they have; what is missing or left over is said. */
function keyWarnings(
  { keys, reading }: AdoptFacts,
  identities: readonly { readonly id: SmesherId; readonly name: string }[],
): readonly string[] {
  const folder = `${reading.parts.node?.data ?? ''}/identities`;
  if (keys === 'unknown')
    return [
      `${folder} may not be read: whether the node has the keys of these identities nobody can say (sudo)`,
    ];
  const present = new Set(keys.flatMap(({ smesherId }) => (smesherId === undefined ? [] : [smesherId])));
  const served = new Set(identities.map(({ id }) => id));
  return [
    ...identities
      .filter(({ id }) => !present.has(id))
      .map(
        ({ id, name }) =>
          `${name} (${shortId(id)}): the node found here has no key for it in ${folder}. It may smesh with another node: that one must let it go first`,
      ),
    ...keys.flatMap(({ file, smesherId }) => {
      if (smesherId === undefined)
        return [`${folder}/${file} is no key that can be read; the node would not start`];
      if (served.has(smesherId)) return [];
      return [
        `${folder}/${file} (${shortId(smesherId)}) is a key without a post-service among what was found: the node registers it, and nobody proves it`,
      ];
    }),
  ];
}
