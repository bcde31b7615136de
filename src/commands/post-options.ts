import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Invocation } from './command.ts';

const NEW_PROJECT = [
  'network',
  'genesis-time',
  'coinbase',
  'node-data',
  'name',
  'p2p-port',
  'public-port',
  'private-port',
];

/** Which options belong to which action: one that means nothing there is a misunderstanding. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  init: [
    ...[
      'units',
      'size',
      'count',
      'gpu',
      'provider',
      'device',
      'split',
      'cpu',
      'max-file-size',
      'commitment',
      'user',
    ],
    ...['resume', 'detach', 'no-start', 'dry-run', 'force', 'passphrase-file', 'recipient', 'keys'],
    ...['repair', 'during-gap', ...NEW_PROJECT],
  ],
  status: [],
  stop: ['dry-run'],
  verify: [
    ...[
      'fraction',
      'from-file',
      'to-file',
      'structure',
      'last',
      'search-nonce',
      'again',
      'scrypt-n',
      'postcli-image',
    ],
    'dry-run',
  ],
};

export const POST_ACTIONS: readonly string[] = Object.keys(OPTIONS_OF);

function given(invocation: Invocation, name: string): boolean {
  // commander keeps `--no-start` as start: false, and start: true without it.
  if (name.startsWith('no-')) return invocation.options[camel(name.slice(3))] === false;
  const value = invocation.options[camel(name)];
  return value !== undefined && value !== false;
}

function camel(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Exit 2 for an option that means nothing to the action. */
export function refuseOptionsOfOthers(invocation: Invocation, action: string): void {
  for (const name of new Set(Object.values(OPTIONS_OF).flat())) {
    if (!given(invocation, name) || OPTIONS_OF[action]?.includes(name)) continue;
    const owners = POST_ACTIONS.filter((other) => OPTIONS_OF[other]?.includes(name));
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--${name} belongs to: ${owners.map((owner) => `post ${owner}`).join(', ')}`,
    );
  }
}
