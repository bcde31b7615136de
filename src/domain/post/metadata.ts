import { smesherIdFromBase64 } from '../identity/smesher-id.ts';
import type { PostMetadata } from './types.ts';

export const METADATA_FILE = 'postdata_metadata.json';
/** A label takes 16 bytes (spacemesh.md §2.2). */
export const LABEL_BYTES = 16;

export type MetadataReading =
  | { readonly kind: 'read'; readonly metadata: PostMetadata }
  | { readonly kind: 'malformed'; readonly reasons: readonly string[] };

const UINT32_MAX = 2 ** 32 - 1;
const UINT64_MAX = 2n ** 64n - 1n;

/** How whole numbers are kept apart from text while JSON.parse, which rounds above 2^53, does the rest. */
interface Digits {
  readonly digits: string;
}

/** At most as many digits as 64 bits have: BigInt takes seconds for a million of them. */
const WHOLE_NUMBER_FIELD =
  /("(?:LabelsPerUnit|NumUnits|MaxFileSize|Nonce|LastPosition)"\s*:\s*)(0|[1-9]\d{0,19})(?=\s*[,}])/g;

function parseExactly(text: string): unknown {
  return JSON.parse(text.replace(WHOLE_NUMBER_FIELD, '$1{"digits":"$2"}'));
}

function isDigits(value: unknown): value is Digits {
  return typeof value === 'object' && value !== null && 'digits' in value && typeof value.digits === 'string';
}

type Fields = Readonly<Record<string, unknown>>;

class FieldReader {
  readonly reasons: string[] = [];
  readonly #fields: Fields;
  readonly #exact: Fields;

  /** @param exact the same with whole numbers as their digits */
  constructor(fields: Fields, exact: Fields) {
    this.#fields = fields;
    this.#exact = exact;
  }

  #optional(name: string): unknown {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    return value === null ? undefined : value;
  }

  #fault(name: string, wanted: string): undefined {
    const missing = this.#optional(name) === undefined;
    this.reasons.push(`${METADATA_FILE}: ${name} ${missing ? 'is missing' : `is not ${wanted}`}`);
    return undefined;
  }

  whole(name: string, max: bigint): bigint | undefined {
    // An object in the file that looks as the digits do is no number.
    const value = typeof this.#optional(name) === 'number' ? this.#exact[name] : undefined;
    const number = isDigits(value) ? BigInt(value.digits) : undefined;
    if (number === undefined || number > max) return this.#fault(name, `a whole number up to ${max}`);
    return number;
  }

  count(name: string, max: number): number | undefined {
    const number = this.whole(name, BigInt(max));
    return number === 0n
      ? this.#fault(name, 'more than 0')
      : number === undefined
        ? undefined
        : Number(number);
  }

  optionalWhole(name: string): bigint | undefined {
    return this.#optional(name) === undefined ? undefined : this.whole(name, UINT64_MAX);
  }

  base64(name: string): ReturnType<typeof smesherIdFromBase64> {
    const value = this.#optional(name);
    const id = typeof value === 'string' ? smesherIdFromBase64(value) : undefined;
    return id ?? this.#fault(name, 'base64 of 32 bytes');
  }

  optionalHex128(name: string): string | undefined {
    const value = this.#optional(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && /^[0-9a-fA-F]{32}$/.test(value)) return value.toLowerCase();
    return this.#fault(name, '32 hex digits');
  }
}

/**
 * Reads `postdata_metadata.json` (spacemesh.md §2.2): numbers exactly, fields by their exact names, unknown fields
 * ignored. Answers every fault at once, in words.
 */
export function readMetadata(text: string): MetadataReading {
  let parsed: unknown;
  let exact: unknown;
  try {
    parsed = JSON.parse(text);
    exact = parseExactly(text);
  } catch {
    const what = text.trim() === '' ? 'is empty' : 'is not JSON';
    return { kind: 'malformed', reasons: [`${METADATA_FILE} ${what}`] };
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { kind: 'malformed', reasons: [`${METADATA_FILE} is not a JSON object`] };
  }
  const reader = new FieldReader(parsed as Fields, exact as Fields);
  const smesherId = reader.base64('NodeId');
  const commitmentAtx = reader.base64('CommitmentAtxId');
  const labelsPerUnit = reader.count('LabelsPerUnit', Number.MAX_SAFE_INTEGER);
  const units = reader.count('NumUnits', UINT32_MAX);
  const maxFileSize = reader.count('MaxFileSize', Number.MAX_SAFE_INTEGER);
  const nonce = reader.optionalWhole('Nonce');
  const nonceValue = reader.optionalHex128('NonceValue');
  const lastPosition = reader.optionalWhole('LastPosition');
  const reasons = reader.reasons;
  if (labelsPerUnit !== undefined && units !== undefined) {
    const bytes = BigInt(labelsPerUnit) * BigInt(units) * BigInt(LABEL_BYTES);
    if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
      reasons.push(`${METADATA_FILE}: ${bytes} bytes of data is beyond any disk`);
  }
  if (maxFileSize !== undefined && maxFileSize < LABEL_BYTES) {
    reasons.push(`${METADATA_FILE}: MaxFileSize ${maxFileSize} holds no label`);
  }
  if (
    reasons.length > 0 ||
    smesherId === undefined ||
    commitmentAtx === undefined ||
    labelsPerUnit === undefined ||
    units === undefined ||
    maxFileSize === undefined
  ) {
    return { kind: 'malformed', reasons };
  }
  return {
    kind: 'read',
    metadata: {
      smesherId,
      commitmentAtx,
      labelsPerUnit,
      units,
      maxFileSize,
      ...(nonce === undefined ? {} : { nonce }),
      ...(nonceValue === undefined ? {} : { nonceValue }),
      ...(lastPosition === undefined ? {} : { lastPosition }),
    },
  };
}
