import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import type { TemplatesPort } from '../../ports/templates.ts';

/** The package's own folder: `dist/`, `dist/chunks/` and `src/adapters/templates/` lie at different depths below it. */
function packageFolder(): URL {
  const here = import.meta.url;
  const built = /\/dist\/(chunks\/)?[^/]+$/.exec(here);
  if (built === null) return new URL('../../../', here);
  return new URL(built[1] === undefined ? '../' : '../../', here);
}

/** Reads `templates/<name>.hbs` of the package; `strict`, so a value that is missing is an error and not an empty place. */
export function createTemplates(root: URL = packageFolder()): TemplatesPort {
  const folder = new URL('templates/', root);
  const handlebars = Handlebars.create();
  return {
    async render(name, values) {
      const source = await readFile(fileURLToPath(new URL(`${name}.hbs`, folder)), 'utf8');
      return handlebars.compile(source, { strict: true, noEscape: true, knownHelpersOnly: true })(values);
    },
    fragment: (path) => readFile(new URL(path, new URL('compose/', root)), 'utf8'),
  };
}
