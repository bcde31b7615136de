import type { OutputPort } from '../../ports/output.ts';
import type { Context } from '../context.ts';

const INDENT = '   ';

/** Without the empty lines around it: the rehearsal sets its own. */
function indented(text: string): string {
  return text.replace(/^\n+|\n+$/g, '').replace(/^(?=.)/gm, INDENT);
}

/** What the rehearsed commands say is shown as they say it, set in; stdout is left to the rehearsal's own result. */
function innerOutput(out: OutputPort): OutputPort {
  return {
    columns: out.columns - INDENT.length,
    color: out.color,
    interactive: false,
    result: (text) => out.note(indented(text)),
    verbatim: (text) => out.note(indented(text)),
    json: () => {},
    note: (text) => out.note(indented(text)),
    warn: (text) => out.warn(indented(text)),
    live() {
      const area = out.live();
      return {
        update: (lines) => area.update(lines.map(indented)),
        done: () => area.done(),
      };
    },
  };
}

/** The context in which a rehearsal calls the same use cases as a person would: no questions, another directory. */
export function projectContext(context: Context, directory: string, signal = context.signal): Context {
  return { ...context, directory, signal, json: false, yes: true, out: innerOutput(context.out) };
}
