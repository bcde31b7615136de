import { digestOf } from '../digest.ts';
import { parseSmesherId, type SmesherId } from '../identity/smesher-id.ts';

/**
 * Every label this tool puts on containers. They are part of Compose's config hash, so each holds only what stays the
 * same as long as the container may stay (design §5).
 */
export const LABEL = {
  /** `node`, `prover`, `initialisation` or `poet`. */
  role: 'io.smesh-compose.role',
  /** Whose data a prover or a job works on. */
  smesherId: 'io.smesh-compose.smesher-id',
  /** On the node: digest of the set of identities whose keys are installed. It reads them only at its start. */
  identities: 'io.smesh-compose.identities',
  /** On the node: digest of its configuration, which it reads only at its start. */
  config: 'io.smesh-compose.config',
  /** Keeps Watchtower from swapping images under running proofs. */
  watchtower: 'com.centurylinklabs.watchtower.enable',
  /** The same for What's Up Docker. */
  wud: 'wud.watch',
} as const;

/** Role of the throw-away containers that look at data for a moment; they serve nobody. */
export const HELPER_ROLE = 'helper';

export type Role = 'node' | 'prover' | 'initialisation' | 'poet';

const ROLES: readonly Role[] = ['node', 'prover', 'initialisation', 'poet'];

export interface SmeshLabels {
  readonly role: Role;
  readonly smesherId?: SmesherId;
  readonly identities?: string;
  readonly config?: string;
}

export function writeLabels(labels: SmeshLabels): Readonly<Record<string, string>> {
  return {
    [LABEL.role]: labels.role,
    ...(labels.smesherId === undefined ? {} : { [LABEL.smesherId]: labels.smesherId }),
    ...(labels.identities === undefined ? {} : { [LABEL.identities]: labels.identities }),
    ...(labels.config === undefined ? {} : { [LABEL.config]: labels.config }),
    [LABEL.watchtower]: 'false',
    [LABEL.wud]: 'false',
  };
}

/** What a container's labels say; `undefined` when it is none of this tool's. */
export function readLabels(labels: Readonly<Record<string, string>>): SmeshLabels | undefined {
  const role = ROLES.find((known) => known === labels[LABEL.role]);
  if (role === undefined) return undefined;
  const smesherId = parseSmesherId(labels[LABEL.smesherId] ?? '');
  const { [LABEL.identities]: identities, [LABEL.config]: config } = labels;
  return {
    role,
    ...(smesherId === undefined ? {} : { smesherId }),
    ...(identities === undefined ? {} : { identities }),
    ...(config === undefined ? {} : { config }),
  };
}

/** The same for the same identities in any order. */
export function identitySetDigest(ids: readonly SmesherId[]): string {
  return digestOf([...ids].sort().join('\n')).slice(0, 16);
}
