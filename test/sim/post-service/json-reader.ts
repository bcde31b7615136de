/**
 * A JSON reader that reports faults with line and column in the words of serde_json, which is what an operator
 * with a damaged `postdata_metadata.json` sees (recorded: "metadata not JSON", "metadata NodeId not base64").
 */

export interface Place {
  readonly line: number;
  readonly column: number;
}

export type JsonNode = { readonly end: Place } & (
  | { readonly type: 'object'; readonly fields: ReadonlyMap<string, JsonNode> }
  | { readonly type: 'array' | 'null' | 'boolean' }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'number'; readonly text: string }
);

export class JsonFault extends Error {
  constructor(message: string, place: Place) {
    super(`${message} at line ${place.line} column ${place.column}`);
  }
}

/** Reads one value and nothing after it. Throws JsonFault. */
export function readJson(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value();
  reader.endOfText();
  return node;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonNode {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#fault('EOF while parsing a value');
    if (char === '{') return this.#object();
    if (char === '[') return this.#array();
    if (char === '"') return { type: 'string', text: this.#string(), end: this.#place() };
    const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(this.#text.slice(this.#at));
    if (number !== null) {
      this.#at += number[0].length;
      return { type: 'number', text: number[0], end: this.#place() };
    }
    for (const word of ['null', 'true', 'false'] as const) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return { type: word === 'null' ? 'null' : 'boolean', end: this.#place() };
    }
    this.#at += 1;
    throw this.#fault('expected value');
  }

  endOfText(): void {
    this.#skipSpace();
    if (this.#at >= this.#text.length) return;
    this.#at += 1;
    throw this.#fault('trailing characters');
  }

  #object(): JsonNode {
    const fields = new Map<string, JsonNode>();
    this.#at += 1;
    for (let first = true; ; first = false) {
      let char = this.#next('an object');
      if (char === '}') break;
      if (!first) {
        if (char !== ',') throw this.#step('expected `,` or `}`');
        this.#at += 1;
        char = this.#next('a value');
        if (char === '}') throw this.#step('trailing comma');
      }
      if (char !== '"') throw this.#step('key must be a string');
      const key = this.#string();
      if (this.#next('an object') !== ':') throw this.#step('expected `:`');
      this.#at += 1;
      fields.set(key, this.value());
    }
    this.#at += 1;
    return { type: 'object', fields, end: this.#place() };
  }

  #array(): JsonNode {
    this.#at += 1;
    for (let first = true; ; first = false) {
      const char = this.#next('a list');
      if (char === ']') break;
      if (!first) {
        if (char !== ',') throw this.#step('expected `,` or `]`');
        this.#at += 1;
      }
      this.value();
    }
    this.#at += 1;
    return { type: 'array', end: this.#place() };
  }

  #string(): string {
    const start = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#fault('EOF while parsing a string');
      if (char === '\\') this.#at += 1;
      if (char === '"') break;
    }
    this.#at += 1;
    try {
      return String(JSON.parse(this.#text.slice(start, this.#at)));
    } catch {
      throw this.#fault('invalid escape');
    }
  }

  #next(inside: string): string {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#fault(`EOF while parsing ${inside}`);
    return char;
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #step(message: string): JsonFault {
    this.#at += 1;
    return this.#fault(message);
  }

  #fault(message: string): JsonFault {
    return new JsonFault(message, this.#place());
  }

  #place(): Place {
    const before = this.#text.slice(0, this.#at);
    return { line: before.split('\n').length, column: this.#at - (before.lastIndexOf('\n') + 1) };
  }
}
