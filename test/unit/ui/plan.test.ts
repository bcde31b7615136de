import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/domain/plan/steps.ts';
import { planExitCode, planToJson, renderPlan } from '../../../src/ui/plan.ts';

const look = { columns: 100, color: false };
const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `post-${String(from + index).padStart(4, '0')}`);

const plan: Plan = {
  headline: '2 identities added, so:',
  steps: [
    {
      kind: 'postpone-service',
      service: 'node',
      why: 'its set of keys has changed: about 3 min; no proof is lost. Waits: 7 identities have yet to register',
      next: 'smesh-compose up, when they have (--force: now)',
    },
    ...names(11, 12).map((service) => ({
      kind: 'create-service' as const,
      service,
      why: 'is not there yet',
    })),
    {
      kind: 'hold-back',
      service: 'post-0013',
      why: '/mnt/d3 is empty: its disk is not mounted',
      next: 'mount it, then: smesh-compose up post-0013',
    },
    ...names(1, 10).map((service, index) => ({
      kind: 'keep-service' as const,
      service,
      ...(index < 2 ? { note: `is proving: ${index === 0 ? 41 : 87} % read` } : {}),
    })),
  ],
};

describe('renderPlan', () => {
  it('shows steps with sign, verb, services, reason and what to do next', () => {
    expect(renderPlan(plan, look)).toBe(
      [
        '2 identities added, so:',
        '  ! postpone  node                  its set of keys has changed: about 3 min; no proof is lost.',
        '                                    Waits: 7 identities have yet to register',
        '                                    → smesh-compose up, when they have (--force: now)',
        '  + create    post-0011, post-0012  is not there yet',
        '  ! hold back post-0013             /mnt/d3 is empty: its disk is not mounted',
        '                                    → mount it, then: smesh-compose up post-0013',
        '  = keep      10 services           same containers, 2 of them are proving (41 %, 87 %)',
      ].join('\n'),
    );
  });

  it('stays within the width, however many services share a fate', () => {
    const many: Plan = {
      headline: 'First start of the node and 50 post-services:',
      steps: names(1, 50).map((service) => ({ kind: 'create-service', service, why: 'is not there yet' })),
    };
    const text = renderPlan(many, { columns: 60, color: false });
    expect(text).toContain('post-0001 … post-0050 (50)');
    for (const line of renderPlan(plan, look).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('puts advice together that differs only in the name', () => {
    const advice: Plan = {
      headline: '',
      steps: names(1, 2).map((service) => ({
        kind: 'hold-back',
        service,
        why: '/mnt/d3 is empty',
        next: `mount it, then: smesh-compose up ${service}`,
      })),
    };
    const text = renderPlan(advice, look);
    expect(text.match(/hold back/g)).toHaveLength(1);
    expect(text).toMatch(/→ mount it, then: smesh-compose up$/);
  });

  it('repeats with colour only what the words say', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is the colours that are looked for
    const bare = renderPlan(plan, { columns: 100, color: true }).replace(/\u001b\[\d+m/g, '');
    expect(bare).toBe(renderPlan(plan, look));
  });

  it('draws attention to services that run but are not well', () => {
    const unwell: Plan = {
      headline: 'Everything runs as smesh.yaml wants it:',
      steps: [{ kind: 'keep-service', service: 'node', note: 'runs, but its healthcheck fails' }],
    };
    expect(renderPlan(unwell, look)).toMatch(/! look at +node +runs, but its healthcheck fails/);
  });
});

describe('plan for programs', () => {
  it('holds every step, but no content of files', () => {
    const withFile: Plan = {
      headline: 'x',
      steps: [
        {
          kind: 'write-file',
          path: '/p/compose.yaml',
          content: 'POET_PRIVATE_KEY: secret',
          what: 'generated',
        },
      ],
    };
    const json = planToJson(withFile);
    expect(JSON.stringify(json)).not.toContain('secret');
    expect(json).toMatchObject({ changes: true, steps: [{ kind: 'write-file', path: '/p/compose.yaml' }] });
  });

  it('tells pending changes by the exit code; what is held back or postponed is none', () => {
    expect(planExitCode(plan)).toBe(10);
    expect(
      planExitCode({ ...plan, steps: plan.steps.filter((step) => step.kind !== 'create-service') }),
    ).toBe(0);
  });
});
