import { describe, expect, it } from 'vitest';
import { postCommand } from '../../../src/commands/post.ts';
import { refuseOptionsOfOthers } from '../../../src/commands/post-options.ts';
import type { SmeshError } from '../../../src/domain/errors.ts';

const ACTIONS = ['init', 'status', 'stop', 'verify'];

/** As commander hands it over when this option alone was given. */
function invocation(flags: string) {
  const name = /^--([a-z0-9-]+)/.exec(flags)?.[1] ?? '';
  const camel = (text: string) => text.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const value = flags.includes('<') ? '1' : true;
  const options = name.startsWith('no-')
    ? { [camel(name.slice(3))]: false }
    : { start: true, [camel(name)]: value };
  return { arguments: [], options };
}

function actionsOf(flags: string): readonly string[] {
  return ACTIONS.filter((action) => {
    try {
      refuseOptionsOfOthers(invocation(flags), action);
      return true;
    } catch (error) {
      expect((error as SmeshError).exitCode).toBe(2);
      return false;
    }
  });
}

describe('options of post', () => {
  it.each((postCommand.options ?? []).map(({ flags, summary }) => [flags, summary] as const))(
    '%s belongs to the actions that its summary names, and is refused by the others',
    (flags, summary) => {
      const named = /^([a-z, ]+?)(?:, without a project)?:/.exec(summary)?.[1]?.split(', ') ?? [];
      expect(named.length).toBeGreaterThan(0);
      expect(actionsOf(flags)).toEqual(ACTIONS.filter((action) => named.includes(action)));
    },
  );

  it('names no option that does not exist', () => {
    expect(actionsOf('--everything')).toEqual(ACTIONS);
  });
});
