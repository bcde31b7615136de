import { type SmesherId, smesherIdFromBytes } from '../identity/smesher-id.ts';

/** A value that was read whole, or what is wrong with the answer that it should have come from. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** Of a Date: the year 275760. */
const LATEST_TIME = 8.64e15;

class Malformed extends Error {}

/** Runs a reader; a fault in the answer becomes its reason. Other errors are bugs and pass. */
export function parseAnswer<T>(answer: unknown, read: (reader: AnswerReader) => T): Parsed<T> {
  try {
    return { ok: true, value: read(new AnswerReader(answer, '')) };
  } catch (fault) {
    if (fault instanceof Malformed) return { ok: false, reason: fault.message };
    throw fault;
  }
}

/**
 * Walks a decoded protobuf message (bytes as Uint8Array, 64-bit numbers as decimal text, enums by name). Each method
 * either gives a value of the type it names or ends the parse: a wrong fact about an identity costs more than none.
 */
export class AnswerReader {
  readonly #value: unknown;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#value = value;
    this.#path = path;
  }

  field(name: string): AnswerReader {
    const { record } = this;
    return new AnswerReader(Object.hasOwn(record, name) ? record[name] : undefined, this.#join(name));
  }

  /** Protobuf leaves out messages that were not set. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  list(): readonly AnswerReader[] {
    if (!Array.isArray(this.#value)) return this.#fail('a list');
    return this.#value.map((item, index) => new AnswerReader(item, `${this.#path}[${index}]`));
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.#fail('a text');
  }

  flag(): boolean {
    return typeof this.#value === 'boolean' ? this.#value : this.#fail('true or false');
  }

  /** A whole number that JavaScript holds exactly; 64-bit ones come as decimal text. */
  count(): number {
    const value = this.#value;
    const number = typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    return this.#fail('a whole number');
  }

  /** For amounts and weights, which may exceed what a number holds. */
  bigCount(): bigint {
    const value = this.#value;
    if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
    return this.#fail('a whole number');
  }

  oneOf<const T extends string>(names: readonly T[]): T {
    const found = names.find((name) => name === this.#value);
    return found ?? this.#fail(`one of ${names.join(', ')}`);
  }

  hex(): string {
    return Buffer.from(this.#bytes()).toString('hex');
  }

  /** 32 bytes, as ATX IDs and challenges are. */
  hash(): string {
    const hex = this.hex();
    return hex.length === 64 ? hex : this.#fail('32 bytes');
  }

  smesherId(): SmesherId {
    return smesherIdFromBytes(this.#bytes()) ?? this.#fail('32 bytes');
  }

  /** google.protobuf.Timestamp in milliseconds since 1970. */
  time(): number {
    const time = this.#secondsAndNanos();
    // What no Date can hold would end whoever wants to show it.
    return time <= LATEST_TIME ? time : this.#fail('a time');
  }

  /** google.protobuf.Duration in milliseconds. */
  duration(): number {
    return this.#secondsAndNanos();
  }

  #secondsAndNanos(): number {
    const seconds = this.field('seconds').count();
    const nanos = this.field('nanos').count();
    if (nanos > 999_999_999) return this.#fail('nanoseconds below a second');
    return seconds * 1000 + Math.floor(nanos / 1e6);
  }

  #bytes(): Uint8Array {
    return this.#value instanceof Uint8Array ? this.#value : this.#fail('bytes');
  }

  /** The fields of a message; lets a parser look which alternative of a `oneof` is set. */
  get record(): Readonly<Record<string, unknown>> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
      return this.#fail('a message');
    }
    return value as Readonly<Record<string, unknown>>;
  }

  #join(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #fail(wanted: string): never {
    throw new Malformed(`${this.#path || 'the answer'} is not ${wanted}`);
  }
}
