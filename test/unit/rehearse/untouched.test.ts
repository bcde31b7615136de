import { describe, expect, it } from 'vitest';
import { SmeshError } from '../../../src/domain/errors.ts';
import { type Marks, renderMarks } from '../../../src/ui/rehearsal.ts';
import { requireUntouched } from '../../../src/usecases/rehearse/untouched.ts';

const mark = (service: string, containerId: string, startedAt = 1000) => ({
  service,
  containerId: containerId.repeat(8),
  startedAt,
});

const before: Marks = {
  node: mark('node', 'n'),
  provers: [mark('post-0001', 'a'), mark('post-0002', 'b')],
};
const good: Marks = {
  node: mark('node', 'm', 5000),
  provers: [...before.provers, mark('post-0003', 'c', 5000)],
};

function broken(after: Marks): readonly string[] {
  try {
    requireUntouched(before, after, ['post-0003']);
    return [];
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    expect(error.exitCode).toBe(3);
    return error.details;
  }
}

const withProvers = (...provers: Marks['provers']): Marks => ({ ...good, provers });

describe('adding an identity touches nobody else', () => {
  it('holds when the node is new, the added one is there and the others are as they were', () => {
    expect(broken(good)).toEqual([]);
  });

  it.each([
    ['recreated', mark('post-0001', 'x'), 'post-0001 was recreated'],
    ['restarted', mark('post-0001', 'a', 2000), 'post-0001 was restarted'],
  ])('does not hold when a prover was %s', (_, changed, said) => {
    expect(broken(withProvers(changed, ...good.provers.slice(1)))).toEqual([said]);
  });

  it('does not hold when a prover is gone, unasked for or was not created', () => {
    expect(broken(withProvers(...good.provers.slice(1)))).toEqual(['post-0001 is gone']);
    expect(broken(withProvers(...good.provers, mark('post-0004', 'd')))).toEqual([
      'post-0004 appeared unasked',
    ]);
    expect(broken(withProvers(...before.provers))).toEqual(['post-0003 was not created']);
  });

  it('does not hold when the node still runs without the new key', () => {
    expect(broken({ ...good, node: before.node })).toHaveLength(1);
    expect(broken({ ...good, node: undefined })).toEqual(['the node is gone']);
  });

  it('is shown with what changed first', () => {
    expect(renderMarks(before, good)).toEqual([
      'node       nnnnnnnn since 00:00:01 UTC     mmmmmmmm since 00:00:05 UTC  recreated',
      'post-0003  –                               cccccccc since 00:00:05 UTC  added',
      'post-0001  aaaaaaaa since 00:00:01 UTC     the same',
      'post-0002  bbbbbbbb since 00:00:01 UTC     the same',
    ]);
  });
});
