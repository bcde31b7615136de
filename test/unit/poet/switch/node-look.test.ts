import { describe, expect, it } from 'vitest';
import { writeLabels } from '../../../../src/domain/compose/labels.ts';
import { digestOf } from '../../../../src/domain/digest.ts';
import { nodeConfigText } from '../../../../src/domain/node/config.ts';
import { requireProject } from '../../../../src/domain/project/parse.ts';
import { rowsOf, trustAbsence } from '../../../../src/usecases/poet-switch/observe.ts';
import { endsWhenStarted } from '../../../../src/usecases/poet-switch/recover.ts';

const id = 'ab'.repeat(32) as never;
const { project } = requireProject(
  'version: 1\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\nidentities: []\n',
  { directory: '/p' },
);

describe('a look at the node', () => {
  it('takes a database that is missing for nothing only where no node has ever run', () => {
    expect(rowsOf(trustAbsence({ kind: 'absent' }, undefined), id)).toBe('none');
    expect(rowsOf(trustAbsence({ kind: 'absent' }, {}), id)).toBe('none');
    expect(rowsOf(trustAbsence({ kind: 'absent' }, { startedAt: 1 }), id)).toBeUndefined();
  });

  it('sees that a node which takes long to start will end', () => {
    const config = digestOf(nodeConfigText(project)).slice(0, 16);
    const found = (ok: boolean, stranded: readonly unknown[], made = config) =>
      endsWhenStarted({
        look: {
          container: { labels: writeLabels({ role: 'node', config: made }) },
          snapshot: { status: { ok } },
        },
        lenient: { project },
        stranded,
      } as unknown as Parameters<typeof endsWhenStarted>[0]);
    expect(found(false, [{}])).toBe(true);
    expect(found(true, [{}])).toBe(false);
    expect(found(false, [])).toBe(false);
    expect(found(false, [{}], 'other')).toBe(false);
  });
});
