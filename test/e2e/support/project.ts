import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** An address of mainnet that nobody has. */
export const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly user?: string }>>;
}

/** The services in a project's compose.yaml, in their order. */
export function composeServices(project: string): readonly string[] {
  const text = readFileSync(join(project, 'compose.yaml'), 'utf8');
  // Each service refers to the shared part.
  const compose = parse(text, { maxAliasCount: -1 }) as ComposeFile;
  return Object.keys(compose.services);
}
