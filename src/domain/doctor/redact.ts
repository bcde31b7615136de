import { parseDocument, stringify } from 'yaml';
import type { SmesherId } from '../identity/smesher-id.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { redactAddresses, redactContacts, redactHosts, redactUrls, redactUsers } from './redact-places.ts';
import { redactAccounts, redactLongValues, redactNamed, SECRET_NAME } from './redact-secrets.ts';

/** What is known beforehand about a host and a project. */
export interface RedactionKnowledge {
  readonly smeshers: readonly SmesherId[];
  /** Long values that are public and help: IDs of images and containers, config hashes, public keys of PoETs. */
  readonly harmless: readonly string[];
  /** Absolute paths that may stay as they are (names of people in them are blanked all the same). */
  readonly paths: readonly string[];
  readonly userNames: readonly string[];
  readonly hostNames: readonly string[];
}

const BLANKED = '[blanked]';

/** Values of these say how a program is set and nothing else. */
const OPEN_VARIABLES =
  /^(?:RUST_LOG|RUST_BACKTRACE|TZ|LANG|LC_[A-Z]+|NVIDIA_[A-Z_]+|SIM_[A-Z0-9_]+|GOMAXPROCS|GODEBUG|GOMEMLIMIT)$/;
const ENVIRONMENT = /^(?:environment|env|args|build_args)$/i;
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');
const HOST_FIELD = /^(?:hostname|domainname|host_?name|extra_hosts|add_host)$/i;

/**
 * Blanks whatever could harm or identify somebody: keys, accounts, addresses, passwords, names. It goes by the looks of
 * things and rather blanks too much: what it does not know is not let through. Text and structures alike.
 */
export class Redactor {
  readonly #names: Pseudonyms;
  readonly #harmless: ReadonlySet<string>;
  readonly #knowledge: RedactionKnowledge;
  readonly #paths: readonly string[];

  constructor(knowledge: RedactionKnowledge) {
    this.#names = new Pseudonyms(knowledge.smeshers);
    this.#knowledge = knowledge;
    this.#harmless = new Set(
      knowledge.harmless.flatMap((value) => [value, value.toLowerCase(), value.replace(/^sha256:/, '')]),
    );
    // A path below another one first, else only its beginning would be found.
    this.#paths = [...new Set(knowledge.paths)]
      .filter((path) => this.#isPlain(path))
      .sort((a, b) => b.length - a.length);
  }

  /** Nothing in it could be more than a name: an identity's ID or a key may be the name of a folder. */
  #isPlain(path: string): boolean {
    const segments = path.split('/').filter((segment) => segment !== '');
    return (
      segments.length > 0 &&
      segments.every((segment) => segment.length < 40 && this.#line(segment, []) === segment)
    );
  }

  /** Any text; each line by itself. */
  text(text: string): string {
    return text
      .split('\n')
      .map((line) => this.#line(line, this.#paths))
      .join('\n');
  }

  #line(raw: string, paths: readonly string[]): string {
    const line = showEscapes(raw);
    const kept = paths.filter((path) => line.includes(path));
    // Stand-ins that no rule below touches.
    const mark = (index: number) => `\u27e6${String.fromCharCode(0x2460 + index)}\u27e7`;
    const marked = kept.reduce((text, path, index) => replacePath(text, path, mark(index)), line);
    let text = redactUrls(marked, this.#names);
    text = redactNamed(text);
    text = redactContacts(text, this.#names);
    text = redactAccounts(text, this.#names);
    text = redactAddresses(text, this.#names);
    text = redactLongValues(text, this.#names, this.#harmless);
    text = redactHosts(text, this.#names, this.#knowledge.hostNames);
    text = kept.reduceRight((result, path, index) => result.replaceAll(mark(index), path), text);
    return redactUsers(text, this.#knowledge.userNames);
  }

  /** A structure as JSON or YAML have it; `name` is the field that it stands in. */
  value(value: unknown, name = ''): unknown {
    if (typeof value === 'string') return SECRET_NAME.test(name) ? BLANKED : this.#string(value, name);
    if (typeof value !== 'object' || value === null)
      return SECRET_NAME.test(name) && value !== null ? BLANKED : value;
    if (ENVIRONMENT.test(name)) return this.#environment(value);
    if (Array.isArray(value)) return this.#array(value, name);
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [
        this.text(key),
        // All that is below a secret is one.
        this.value(entry, SECRET_NAME.test(name) ? name : key),
      ]),
    );
  }

  #string(text: string, name: string): string {
    if (HOST_FIELD.test(name)) return this.#names.of('host', text.toLowerCase());
    return this.text(text);
  }

  #array(values: readonly unknown[], name: string): unknown {
    const bytes =
      values.length >= 8 &&
      values.every((one) => Number.isInteger(one) && Number(one) >= 0 && Number(one) < 256);
    if (bytes) return '[bytes]';
    const texts = values.filter((one) => typeof one === 'string');
    if (texts.length === values.length && texts.length > 1 && isScattered(texts)) {
      const joined = texts.join('');
      const alone = texts.every((text) => text.length >= 32);
      if (!alone && this.text(joined) !== joined) return BLANKED;
    }
    return values.map((one) => this.value(one, name));
  }

  #environment(value: object): unknown {
    const show = (name: string, content: unknown) => {
      if (content === null || content === undefined) return content;
      return OPEN_VARIABLES.test(name) ? this.text(String(content)) : BLANKED;
    };
    if (Array.isArray(value)) {
      return value.map((entry: unknown) => {
        const [name = '', ...rest] = String(entry).split('=');
        return rest.length === 0
          ? this.text(name)
          : `${this.text(name)}=${String(show(name, rest.join('=')))}`;
      });
    }
    return Object.fromEntries(
      Object.entries(value).map(([name, content]) => [this.text(name), show(name, content)]),
    );
  }

  /**
   * A file, by its kind: JSON and YAML are read and written anew (comments go, for anything may stand in them); what
   * cannot be read as its name says is blanked as text.
   */
  file(name: string, content: string): string {
    if (name.endsWith('.json')) {
      const value = readJson(content);
      if (value !== undefined) return `${JSON.stringify(this.value(value.value), null, 2)}\n`;
    }
    if (/\.ya?ml$/.test(name)) {
      const value = readYaml(content);
      if (value !== undefined) return stringify(this.value(value.value), { lineWidth: 0 });
    }
    return this.text(content);
  }

  /** For the summary: how many values of each kind were given a name. */
  counts(): Readonly<Record<string, number>> {
    return this.#names.counts();
  }
}

/** Short texts of one alphabet in a list may be a value in pieces; words are not, which rarely mix their letters. */
function isScattered(texts: readonly string[]): boolean {
  if (texts.every((text) => /^[0-9a-f]{1,63}$/i.test(text))) return true;
  return texts.every(
    (text) =>
      /^[A-Za-z0-9+/_=-]{1,63}$/.test(text) &&
      (text.length < 8 || (/[a-z]/.test(text) && /[A-Z]/.test(text))),
  );
}

/**
 * Makes visible what is written in escapes, so that a rule sees it: `\u0061`, `\x61`, `%61`, `\/`, marks without width,
 * colours. Several times: a JSON text in a JSON text has its escapes escaped.
 */
function showEscapes(line: string): string {
  let text = line.replace(COLOUR, '').replace(/[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/g, '');
  for (let round = 0; round < 4; round += 1) {
    const next = text
      .replace(/\\{1,8}u([0-9a-f]{4})/gi, decode)
      .replace(/\\{1,8}u\{0*([0-9a-f]{1,4})\}/gi, decode)
      .replace(/\\{1,8}x([0-7][0-9a-f])/gi, decode)
      .replace(/%([2-7][0-9a-f])/gi, decode)
      .replace(/&#x([0-9a-f]{2,4});/gi, decode)
      .replace(/\\{1,8}\//g, '/');
    if (next === text) break;
    text = next;
  }
  return text;
}

/** Only what can be seen: a line break in an escape stays one. */
function decode(whole: string, hex: string): string {
  const code = Number.parseInt(hex, 16);
  if (code === 0x0a || code === 0x0d || code === 0x09) return ' ';
  return code > 0x20 && code < 0x7f ? String.fromCharCode(code) : whole;
}

/** At the end of a word, so that `/mnt/d1` does not hide what follows in `/mnt/d1SECRET`. */
function replacePath(text: string, path: string, by: string): string {
  let result = '';
  let from = 0;
  for (let at = text.indexOf(path); at >= 0; at = text.indexOf(path, from)) {
    const after = text.charAt(at + path.length);
    result += text.slice(from, at) + (/[A-Za-z0-9+=]/.test(after) ? path : by);
    from = at + path.length;
  }
  return result + text.slice(from);
}

function readJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function readYaml(text: string): { readonly value: unknown } | undefined {
  try {
    const document = parseDocument(text, { logLevel: 'silent' });
    return document.errors.length > 0 ? undefined : { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return undefined;
  }
}
