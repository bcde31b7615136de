/** Why a node ends again and again, as far as it has to do with its PoETs. */
export type PoetFatal =
  /** Its round has begun, and it is registered only where the list does not lead (spacemesh.md §6.4, §14.7). */
  | {
      readonly kind: 'no-listed-registration';
      readonly registrations: readonly string[];
      readonly configured: readonly string[];
      /** First digits of the smesher ID, as the log shortens it. */
      readonly smesher?: string;
    }
  /** A PoET without its key, when that proof is due (§7.2). */
  | { readonly kind: 'missing-pubkey' }
  /** A server with another phase shift than the configuration (§6.4). */
  | { readonly kind: 'other-phase' };

const FATAL = /(?:^|\t)FATAL\t/;
const NO_LISTED = /None of the poets listed in the config matches the existing registrations/;
const NO_PUBKEY = /slice bounds out of range \[:5\] with capacity 0/;
const OTHER_PHASE = /failed to create poet service|incompatible phase ?shift/i;

/** Whether the last words of a node, however they were taken out of its log, are of its PoETs. */
export function isPoetFault(reason: string): boolean {
  return [NO_LISTED, NO_PUBKEY, OTHER_PHASE].some((fault) => fault.test(reason));
}

/** Reads the end of a node's log, oldest line first: the last of these that it says. */
export function readPoetFatal(lines: readonly string[]): PoetFatal | undefined {
  for (const line of [...lines].reverse()) {
    if (FATAL.test(line) && NO_LISTED.test(line)) return noListed(line);
    if (line.includes('panic: ') && NO_PUBKEY.test(line)) return { kind: 'missing-pubkey' };
    if (OTHER_PHASE.test(line)) return { kind: 'other-phase' };
  }
  return undefined;
}

function noListed(line: string): PoetFatal {
  const fields = fieldsOf(line);
  const list = (value: unknown) =>
    Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  const smesher = fields['smesherID'];
  return {
    kind: 'no-listed-registration',
    registrations: list(fields['registrations']),
    configured: list(fields['configured_poets']),
    ...(typeof smesher === 'string' ? { smesher } : {}),
  };
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(line.slice(line.indexOf('{')));
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {};
  } catch {
    // Cut short by the log driver.
    return {};
  }
}
