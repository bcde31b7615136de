import { type SmesherId, shortId, smesherIdFromBase64 } from '../identity/smesher-id.ts';
import type { Hindrance } from '../plan/decide-up.ts';
import { LABEL_BYTES, METADATA_FILE } from './metadata.ts';

/** What a look at a PoST directory gave, from the host or from inside a container. */
export type DataLook =
  | { readonly kind: 'readable'; readonly smesherId?: SmesherId; readonly dataBytes?: number }
  | { readonly kind: 'no-directory' }
  /** The directory is there and has nothing in it: as an unmounted mount point looks. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'no-metadata' }
  | { readonly kind: 'unreadable'; readonly what: string }
  /** Nothing could be learnt; says nothing about the data. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Owner and permission bits, for explaining why something cannot be read. */
export interface Permissions {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Reads identity and size from `postdata_metadata.json`, leaving its judgement to the scanner. */
export function lookAtMetadata(text: string): DataLook {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', what: `${METADATA_FILE} is not JSON` };
  }
  const { NodeId, NumUnits, LabelsPerUnit } = (content ?? {}) as Record<string, unknown>;
  const smesherId = typeof NodeId === 'string' ? smesherIdFromBase64(NodeId) : undefined;
  // Number() of an object asks the object itself, which may throw.
  const counted = typeof NumUnits === 'number' && typeof LabelsPerUnit === 'number';
  const dataBytes = counted ? NumUnits * LabelsPerUnit * LABEL_BYTES : 0;
  return {
    kind: 'readable',
    ...(smesherId === undefined ? {} : { smesherId }),
    ...(Number.isSafeInteger(dataBytes) && dataBytes > 0 ? { dataBytes } : {}),
  };
}

export interface LookContext {
  readonly service: string;
  readonly path: string;
  readonly expected: SmesherId;
  /** `uid:gid` of the container; absent when it was looked at from the host. */
  readonly user?: string;
  /** Of the file that cannot be read, else of the directory. */
  readonly permissions?: Permissions;
}

/** Why a prover must not be started with what was found, or `undefined` when it may (S13, S21). */
export function judgeLook(look: DataLook, context: LookContext): Hindrance | undefined {
  const { service, path, expected } = context;
  const again = `smesh-compose up ${service}`;
  switch (look.kind) {
    case 'unknown':
      return undefined;
    case 'no-directory':
      return {
        why: `${path} is not there: its disk is not mounted, or the folder was moved`,
        next: `mount the disk, then: ${again}`,
      };
    case 'empty':
      return { why: `${path} is empty: its disk is not mounted`, next: `mount it, then: ${again}` };
    case 'no-metadata':
      return {
        why: `there is no ${METADATA_FILE} in ${path}: these are not its PoST data`,
        next: `bring the data back, or say where they are now (identities → data in smesh.yaml), then: ${again}`,
      };
    case 'unreadable':
      return explainUnreadable(look.what, context);
    case 'readable':
      if (look.smesherId === undefined || look.smesherId === expected) return undefined;
      // Two disks that have changed places: the service would take up the place of another identity.
      return {
        why: `${path} holds the data of ${shortId(look.smesherId)}, not of ${shortId(expected)}: another disk is mounted there`,
        next: `mount the right disk, then: ${again}`,
      };
  }
}

function explainUnreadable(what: string, context: LookContext): Hindrance {
  const { service, path, user, permissions } = context;
  const again = `smesh-compose up ${service}`;
  if (user === undefined) return { why: `${path} cannot be read: ${what}`, next: again };
  const seen =
    permissions === undefined
      ? ''
      : `; it belongs to ${permissions.uid}:${permissions.gid}, mode ${octal(permissions.mode)}`;
  const why = `as ${user} inside a container ${path} cannot be read (${what})${seen}`;
  const owner = permissions === undefined ? undefined : `${permissions.uid}:${permissions.gid}`;
  if (owner !== undefined && owner !== user) {
    return {
      why,
      next: `let it run as the owner (user: "${owner}" of ${service} in smesh.yaml), then: ${again}`,
    };
  }
  return {
    why,
    next: `give ${user} read access, or, on NFS, see whether the export squashes it (root_squash); then: ${again}`,
  };
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/**
 * A bash program that looks at directories mounted at `/look/0`, `/look/1`, … and prints a line for each: number, verdict,
 * detail. Opening is the test: permission bits do not tell what NFS, user namespaces or missing capabilities refuse.
 * Only builtins of bash, which is in all images (spacemesh.md §3.6, §4).
 */
export const LOOK_INSIDE = `
shopt -s nullglob dotglob
for place in /look/*; do
  n=\${place##*/}
  if ! cd "$place" 2>/dev/null; then printf '%s\\tunreadable\\t.\\n' "$n"; continue; fi
  meta=${METADATA_FILE}
  if [[ ! -e $meta ]]; then
    # A folder that cannot be listed looks empty.
    if [[ ! -r . ]]; then printf '%s\\tunreadable\\t.\\n' "$n"; continue; fi
    all=(*)
    if ((\${#all[@]})); then printf '%s\\tno-metadata\\n' "$n"; else printf '%s\\tempty\\n' "$n"; fi
    continue
  fi
  if ! { text=$(<"$meta"); } 2>/dev/null; then printf '%s\\tunreadable\\t%s\\n' "$n" "$meta"; continue; fi
  bad=
  for file in postdata_*.bin; do
    if ! { : <"$file"; } 2>/dev/null; then bad=$file; break; fi
  done
  if [[ $bad ]]; then printf '%s\\tunreadable\\t%s\\n' "$n" "$bad"; continue; fi
  id=
  if [[ $text =~ \\"NodeId\\":[[:space:]]*\\"([A-Za-z0-9+/=]+)\\" ]]; then id=\${BASH_REMATCH[1]}; fi
  printf '%s\\treadable\\t%s\\n' "$n" "$id"
done
`;

/** Reads what `LOOK_INSIDE` printed: number of the directory → look. Lines that make no sense count for nothing. */
export function parseLooks(output: string): ReadonlyMap<number, DataLook> {
  const looks = new Map<number, DataLook>();
  for (const line of output.split('\n')) {
    const [number = '', verdict, detail = ''] = line.split('\t');
    if (!/^\d+$/.test(number)) continue;
    const look = parseVerdict(verdict, detail);
    if (look !== undefined) looks.set(Number(number), look);
  }
  return looks;
}

function parseVerdict(verdict: string | undefined, detail: string): DataLook | undefined {
  switch (verdict) {
    case 'readable': {
      const smesherId = smesherIdFromBase64(detail);
      return { kind: 'readable', ...(smesherId === undefined ? {} : { smesherId }) };
    }
    case 'unreadable':
      return { kind: 'unreadable', what: detail === '.' ? 'the folder itself' : detail };
    case 'empty':
    case 'no-metadata':
      return { kind: verdict };
    default:
      return undefined;
  }
}
