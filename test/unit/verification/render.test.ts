import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { known, notLearnt } from '../../../src/domain/verification/facts.ts';
import { verify } from '../../../src/domain/verification/judge.ts';
import { renderVerification, verificationDocument } from '../../../src/ui/verification.ts';
import { AFTER_GAP, atx, BEFORE_GAP, identity, node, project, published } from './evidence.ts';

const PLAIN = { columns: 100, color: false, all: false };

/** The nth of many, right after the gap unless told otherwise. */
function nth(index: number, changes: Parameters<typeof published>[0] = {}) {
  const smesher = parseSmesherId(index.toString(16).padStart(8, '0').padEnd(64, 'a')) as SmesherId;
  const atxs = known([85, 86, 87].map((epoch) => atx(epoch, { smesher })));
  return published({ smesher, atxs, name: `post-${String(index).padStart(4, '0')}`, ...changes });
}

describe('the text of verify', () => {
  it('has one sentence for an identity with nothing wrong', () => {
    const verification = verify(project(AFTER_GAP), [published()]);
    expect(renderVerification(verification, { name: 'smesh' }, PLAIN)).toEqual([
      '1 identity of smesh in epoch 87: 1 right',
      '',
      'right    post-0001  abababab  earns in epoch 87, and was paid for 1 layer: 477,618,397 smidge; will',
      '                              earn in epoch 88: its ATX is out; can earn in epoch 89: it is',
      '                              registered for round 87',
    ]);
  });

  it('S16: counts the right ones of 150, names the others, and tells what they share once', () => {
    const lost = { rows: known({ post: true, registrations: [] }) };
    const identities = Array.from({ length: 150 }, (_, index) => nth(index + 1, index < 3 ? lost : {}));
    const lines = renderVerification(verify(project(AFTER_GAP), identities), { name: 'smesh' }, PLAIN);
    expect(lines[0]).toBe('150 identities of smesh in epoch 87: 3 with rewards lost or in danger, 147 right');
    expect(lines).toContain('… and 147 more that are right   (--all shows each)');
    expect(lines.length).toBeLessThan(30);
    const told = lines.join(' ').replace(/\s+/g, ' ');
    expect(told.match(/not registered for round 87/g)).toHaveLength(1);
    expect(told).toContain(
      '! post-0001, post-0002, post-0003 are not registered for round 87, which has begun: they publish nothing in epoch 88 and earn nothing in epoch 89',
    );
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('says once that the node is away, not of every identity what it would have said', () => {
    const silent = notLearnt('the node does not run');
    const blind = {
      listed: 'unknown',
      wanted: 'unknown',
      atxs: silent,
      rewards: silent,
      malfeasance: silent,
    } as const;
    const about = project(BEFORE_GAP, { node: node({ container: 'not-running' }) });
    const lines = renderVerification(
      verify(about, [identity(blind), identity({ ...blind, name: 'post-0002' })]),
      { name: 'smesh' },
      PLAIN,
    );
    const concerns = lines.filter((line) => /^[!?·] /.test(line));
    expect(concerns).toEqual([
      '! The node does not run: nothing is proved, published or registered',
      "? Accounts, ATXs, rewards and cancellations are the node's to tell: not known while it is away",
    ]);
  });

  it('shows with --all every check and where it is known from', () => {
    const lines = renderVerification(
      verify(project(AFTER_GAP), [published()]),
      { name: 'smesh' },
      { ...PLAIN, all: true },
    );
    const text = lines.join('\n');
    for (const subject of [
      'node',
      'coinbase',
      'other-keys',
      'standing',
      'key',
      'data',
      'connection',
      'atx',
      'rewards',
    ]) {
      expect(text).toMatch(new RegExp(`^  ok {7}${subject} `, 'm'));
    }
    expect(text).toContain('weight 335,916: 36 units × 9,331 ticks');
  });

  it('lets no name or log command the terminal', () => {
    const evil = identity({
      doing: 'status: \u001b[2J',
      state: { wants: 'a-proof', activity: { kind: 'silent' }, held: false },
    });
    for (const all of [true, false]) {
      const text = renderVerification(
        verify(project(BEFORE_GAP), [evil]),
        { name: 'a\u001b[31m' },
        { ...PLAIN, all },
      ).join('\n');
      expect(text).not.toContain('\u001b');
    }
  });
});

describe('the document of verify', () => {
  it('has every field, and no number that JSON cannot hold', () => {
    const verification = verify(project(AFTER_GAP), [published()]);
    const document = JSON.parse(
      JSON.stringify(verificationDocument(verification, { at: AFTER_GAP, name: 'smesh', exitCode: 0 })),
    );
    expect(document).toMatchObject({
      schemaVersion: 1,
      at: '2026-11-24T12:00:00.000Z',
      exitCode: 0,
      verdict: 'right',
      project: 'smesh',
      epoch: 87,
    });
    const [first] = document.identities;
    expect(first).toMatchObject({ name: 'post-0001', standing: 'right' });
    for (const check of [...document.checks, ...first.checks]) {
      expect(Object.keys(check)).toEqual(['subject', 'code', 'level', 'message', 'evidence', 'next']);
    }
    expect(first.outlooks.map(({ epoch }: { epoch: number }) => epoch)).toEqual([87, 88, 89]);
  });
});
