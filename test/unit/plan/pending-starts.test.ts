import { describe, expect, it } from 'vitest';
import { LABEL } from '../../../src/domain/compose/labels.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { choosePending } from '../../../src/domain/plan/pending-starts.ts';
import { observed } from './observed.ts';

const NOTED = '2026-11-21T08:00:00.000Z';
const at = (seconds: number) => Date.parse(NOTED) + seconds * 1000;
const prover = (changes: Partial<ObservedContainer>) =>
  observed('post-0001', { labels: { [LABEL.role]: 'prover' }, ...changes });
const node = (changes: Partial<ObservedContainer>) =>
  observed('node', { labels: { [LABEL.role]: 'node' }, ...changes });
const choose = (...containers: ObservedContainer[]) => {
  const services = ['post-0001', 'node'];
  const noted = { 'post-0001': NOTED, node: NOTED };
  return choosePending({ services, noted }, containers).map(({ service, act }) => `${service} ${act}`);
};

describe('choosePending', () => {
  it('starts what the interrupted command made or stopped: provers as they are, the node first and checked', () => {
    expect(
      choose(prover({ state: 'exited', finishedAt: at(20) }), node({ state: 'created', createdAt: at(40) })),
    ).toEqual(['node check-and-start', 'post-0001 start']);
  });

  it('leaves alone what was stopped or made by somebody else: long after the note, or before it', () => {
    expect(choose(prover({ state: 'exited', finishedAt: at(301) }))).toEqual(['post-0001 drop']);
    expect(choose(prover({ state: 'exited', finishedAt: at(-60) }))).toEqual(['post-0001 drop']);
    expect(choose(node({ state: 'exited', finishedAt: at(3600) }))).toEqual(['node drop']);
    expect(choose(node({ state: 'created', createdAt: at(3600) }))).toEqual(['node drop']);
  });

  it('a note without a time tells nothing of who stopped a container', () => {
    const pending = { services: ['post-0001'] };
    const [stopped] = choosePending(pending, [prover({ state: 'exited', finishedAt: at(1) })]);
    expect(stopped?.act).toBe('drop');
    expect(choosePending(pending, [prover({ state: 'created' })])[0]?.act).toBe('start');
  });

  it('never starts a second one beside one that is up', () => {
    const up = prover({ id: 'old', state: 'paused' });
    expect(choose(up, prover({ state: 'created', createdAt: at(1) }))).toEqual(['post-0001 wait']);
    expect(choose(prover({}))).toEqual([]);
  });

  it('what is no prover of this tool is not started unchecked', () => {
    const unlabelled = observed('node', { state: 'created', createdAt: at(1), labels: {} });
    expect(choose(unlabelled)).toEqual(['node check-and-start']);
  });
});
