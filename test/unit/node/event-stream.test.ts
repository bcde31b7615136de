import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { EventStream } from '../../../src/domain/node/event-stream.ts';
import { eventWords } from '../../../src/domain/node/event-words.ts';
import type { NodeEvent, NodeEventDetails } from '../../../src/domain/node/events.ts';
import { eventDocument, eventRenderer } from '../../../src/ui/events.ts';

const smesher = parseSmesherId('ab'.repeat(32)) as SmesherId;
const stranger = parseSmesherId('cd'.repeat(32)) as SmesherId;
const AT = Date.parse('2026-11-22T20:00:12Z');

function event(details: NodeEventDetails, changes: Partial<NodeEvent> = {}): NodeEvent {
  return { at: AT, failed: false, help: 'Node says so.', ...details, ...changes } as NodeEvent;
}

const older = event({ kind: 'legacy-wait', smesher, for: 'round-start', publish: 88, until: AT + 1000 });
const newer = event({
  kind: 'waiting-for-registration-window',
  smesher,
  current: 87,
  publish: 88,
  until: AT + 1000,
});
const beacon = event({ kind: 'beacon', epoch: 88, beacon: '1b75a32d' });

describe('the stream of events', () => {
  it('tells the newer form of a wait, and the older one where no newer comes', () => {
    const stream = new EventStream();
    stream.push(older, 0);
    stream.push(newer, 1);
    expect(stream.take(1)).toEqual([newer]);
    const old = new EventStream();
    old.push(older, 0);
    expect(old.take(500)).toEqual([]);
    expect(old.take(1000)).toEqual([older]);
    expect(old.isHolding).toBe(false);
  });

  it('does not take the wait of another identity, round or kind for the newer form', () => {
    for (const other of [
      event({
        kind: 'waiting-for-registration-window',
        smesher: stranger,
        current: 87,
        publish: 88,
        until: AT,
      }),
      event({ kind: 'waiting-for-registration-window', smesher, current: 88, publish: 89, until: AT }),
      event({ kind: 'waiting-for-round-end', smesher, publish: 88, target: 89, until: AT }),
    ]) {
      const stream = new EventStream();
      stream.push(older, 0);
      stream.push(other, 0);
      expect(stream.take(0, true)).toEqual([older, other]);
    }
  });

  it('keeps the order: what came after a held event waits with it', () => {
    const stream = new EventStream();
    stream.push(beacon, 0);
    stream.push(older, 0);
    stream.push(event({ kind: 'proposal', smesher, layer: 5, proposal: 'ff' }), 0);
    expect(stream.take(0)).toEqual([beacon]);
    expect(stream.take(2000).map(({ kind }) => kind)).toEqual(['legacy-wait', 'proposal']);
  });

  it('tells nothing twice, but tells what happens twice', () => {
    const stream = new EventStream();
    stream.push(beacon, 0);
    stream.push(beacon, 0);
    stream.push({ ...beacon, at: AT + 1 }, 0);
    expect(stream.take(0)).toHaveLength(2);
  });
});

describe('events for people and programs', () => {
  const names = new Map([[smesher, 'post-0001']]);
  const all: readonly NodeEventDetails[] = [
    { kind: 'beacon', epoch: 88, beacon: '1b75a32d' },
    { kind: 'init-start', smesher },
    { kind: 'init-complete', smesher },
    { kind: 'init-failed', smesher, error: 'no GPU' },
    { kind: 'post-start', smesher, challenge: '00'.repeat(32) },
    { kind: 'post-complete', smesher, challenge: '' },
    { kind: 'atx-published', smesher, current: 87, target: 88, atx: 'ab'.repeat(32), until: AT },
    { kind: 'eligibilities', smesher, epoch: 87, atx: '', activeSetSize: 1, layers: [] },
    { kind: 'proposal', smesher, layer: 353_600, proposal: 'ff' },
    { kind: 'malfeasance', smesher, layer: 1, what: 'MALFEASANCE_ATX' },
    { kind: 'post-service-started' },
    { kind: 'post-service-stopped' },
    { kind: 'waiting-for-registration-window', smesher, current: 87, publish: 88, until: AT },
    { kind: 'waiting-for-round-end', smesher, publish: 88, target: 89, until: AT },
    { kind: 'registered-in-poet', smesher, url: 'https://poet', roundId: '87' },
    { kind: 'poet-proof-downloaded', url: 'https://poet', roundId: '87', ticks: 9331n },
    { kind: 'poet-proof-selected', smesher, url: 'https://poet', roundId: '87', ticks: 9331n },
    { kind: 'legacy-wait', smesher, for: 'round-end', publish: 88, until: AT },
    { kind: 'other', name: 'somethingNew' },
  ];

  it.each(all.map((details) => [details.kind, details] as const))(
    '%s has words, a line and a document',
    (kind, details) => {
      const told = event(details);
      const words = eventWords(told, () => 'then');
      expect(words).not.toMatch(/undefined|NaN|\[object/);
      expect(words).not.toBe(told.help);
      const line = eventRenderer({ color: false, names })(told);
      expect(line).toContain(words.slice(0, 10));
      expect(
        line.startsWith(`2026-11-22 20:00:12  ${'smesher' in details ? 'post-0001' : 'node     '}  `),
      ).toBe(true);
      const document = JSON.parse(JSON.stringify(eventDocument(told, names)));
      expect(document).toMatchObject({
        at: '2026-11-22T20:00:12.000Z',
        failed: false,
        help: 'Node says so.',
      });
      expect(document.type).toBe(kind === 'legacy-wait' ? 'waiting-for-round-end' : kind);
      expect(document.name).toBe('smesher' in details ? 'post-0001' : null);
    },
  );

  it('eligible layers are sorted: the node tells them in no order', () => {
    const layers = [30, 10, 20].map((layer) => ({ layer, count: 1 }));
    const told = event({ kind: 'eligibilities', smesher, epoch: 1, atx: '', activeSetSize: 1, layers });
    expect(eventWords(told, String)).toBe('has 3 eligible layers in epoch 1: 10, 20, 30');
  });

  it('a failure keeps the words of the node, made harmless, and an unknown identity its digits', () => {
    const failed = event(
      { kind: 'post-complete', smesher: stranger, challenge: '' },
      { failed: true, help: 'invalid POST proof\u001b[2J' },
    );
    expect(eventRenderer({ color: false, names })(failed)).toBe(
      '2026-11-22 20:00:12  cdcdcdcd   FAILED to prove: invalid POST proof\\x1b[2J',
    );
  });
});
