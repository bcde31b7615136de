/** Text that must not get out by accident: it prints as what it is called, whichever way it is printed. */
export abstract class Secret {
  readonly #text: string;
  readonly #printed: string;

  /** @param name what stands in its place, in brackets */
  constructor(text: string, name: string) {
    this.#text = text;
    this.#printed = `[${name}]`;
  }

  /** For the one method of each kind that gives it out under a name that can be searched for. */
  protected text(): string {
    return this.#text;
  }

  toString(): string {
    return this.#printed;
  }

  toJSON(): string {
    return this.#printed;
  }

  [Symbol.toPrimitive](): string {
    return this.#printed;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.#printed;
  }
}
