import { printable } from './text.ts';

/** Colours of service names, one after the other; red is kept for trouble. */
const COLORS = ['36', '33', '32', '35', '34', '96', '93', '92', '95', '94'] as const;

// Colours and cursor movements (CSI), window titles and links (OSC), and other escapes that stand alone.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]/g;

/**
 * One line of a foreign log that cannot command the terminal: escape sequences are taken out, what is left of control
 * characters is made visible. Tabs stay: the node separates its fields with them.
 */
export function cleanLogText(text: string): string {
  return text.replace(ESCAPES, '').split('\t').map(printable).join('\t');
}

export interface LogStyle {
  readonly color: boolean;
  readonly timestamps: boolean;
  /** All services whose lines may come: names are aligned, and each keeps its colour. */
  readonly services: readonly string[];
}

/** Makes `post-0001  | text` of lines, in the way of `docker compose logs`. */
export function logLineRenderer(
  style: LogStyle,
): (line: { readonly service: string; readonly at: number; readonly text: string }) => string {
  const width = Math.max(0, ...style.services.map((service) => service.length));
  const prefixes = new Map(
    style.services.map((service, index) => {
      const prefix = `${service.padEnd(width)}  |`;
      const color = COLORS[index % COLORS.length];
      return [service, style.color ? `\u001b[${color}m${prefix}\u001b[39m` : prefix];
    }),
  );
  return ({ service, at, text }) => {
    const time = style.timestamps ? ` ${new Date(at).toISOString()}` : '';
    const clean = cleanLogText(text);
    return `${prefixes.get(service) ?? `${service}  |`}${time}${clean === '' ? '' : ` ${clean}`}`;
  };
}
