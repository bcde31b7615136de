import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/usecases/context.ts';
import { chooseCards } from '../../../src/usecases/post-init/choose-cards.ts';
import type { PostInitOptions } from '../../../src/usecases/post-init/options.ts';
import { type GpuRig, gpuRig, NO_OPENCL, offers, projectWith } from '../../helpers/gpu-rig.ts';
import { tempFolder } from '../../helpers/temp.ts';

const TWO = ['NVIDIA CUDA/NVIDIA GeForce RTX 3090', 'NVIDIA CUDA/NVIDIA GeForce RTX 4090'];

interface Asked {
  readonly rig: Omit<GpuRig, 'folder'>;
  readonly options?: Partial<PostInitOptions>;
  readonly identities?: number;
  /** `init.devices` of smesh.yaml. */
  readonly listed?: readonly string[];
  /** Answers of somebody at a terminal, by what is asked. */
  readonly answers?: Readonly<Record<string, readonly string[] | boolean>>;
}

async function choose({ rig, options = {}, identities = 1, listed = [], answers }: Asked) {
  const { context } = gpuRig({ ...rig, folder: tempFolder('cards') });
  const notes: string[] = [];
  const reply = async ({ message }: { message: string }) => {
    const answer = answers?.[message];
    if (answer === undefined) throw new Error(`not expected: ${message}`);
    return answer;
  };
  const whole = {
    ...context,
    yes: answers === undefined,
    signal: new AbortController().signal,
    out: {
      interactive: answers !== undefined,
      note: (text: string) => void notes.push(text),
      warn: () => {},
    },
    ports: { ...context.ports, prompt: { confirm: reply, multiselect: reply } },
  } as unknown as Context;
  const all = {
    providers: [],
    devices: [],
    split: false,
    cpu: false,
    noStart: false,
    ...options,
  } as unknown as PostInitOptions;
  const project = {
    ...projectWith({ gpu: options.gpu ?? 'nvidia', devices: listed }),
    network: { post: { labelsPerUnit: 2 ** 32, scrypt: { n: 8192, r: 1, p: 1 } } },
  };
  const choice = await chooseCards(whole, project as never, all, { identities, units: 4 }).catch(
    (error: unknown) => error,
  );
  return {
    choice: choice as {
      gpu?: string;
      split?: boolean;
      cards?: { label: string; device?: string; provider?: number }[];
      code?: string;
      exitCode?: number;
      details?: string[];
    },
    notes,
  };
}

const two = { host: 'nvidia-two', providers: offers(...TWO) };

describe('S26: the cards of new data', () => {
  it('are those that postcli is offered inside, by name; one alone needs no device', async () => {
    const { choice } = await choose({ rig: { host: 'nvidia-one', providers: offers(TWO[0] ?? '') } });
    expect(choice).toMatchObject({ gpu: 'nvidia', split: false });
    expect(choice.cards).toHaveLength(1);
    expect(choice.cards?.[0]).not.toHaveProperty('device');
    expect(choice.cards?.[0]).not.toHaveProperty('provider');
    expect(choice.cards?.[0]?.label).toContain('GeForce');
  });

  it('are the first alone for one identity, all in turn for several, all with --split', async () => {
    const alone = await choose({ rig: two });
    expect(alone.choice.cards).toHaveLength(1);
    expect(alone.notes.join()).toContain('--split');
    const several = await choose({ rig: two, identities: 2 });
    expect(several.choice).toMatchObject({ split: false, cards: [{ device: '0' }, { device: '1' }] });
    const split = await choose({ rig: two, options: { split: true } });
    expect(split.choice).toMatchObject({ split: true, cards: [{ device: '0' }, { device: '1' }] });
  });

  it('are asked for in a terminal', async () => {
    const both = { 'Which cards compute?': ['0', '1'], 'Split it over the 2 cards?': true };
    expect((await choose({ rig: two, answers: both })).choice).toMatchObject({ split: true });
    const one = { 'Which cards compute?': ['1'] };
    expect((await choose({ rig: two, answers: one })).choice).toMatchObject({
      split: false,
      cards: [{ device: '1' }],
    });
    expect((await choose({ rig: two, answers: { 'Which cards compute?': [] } })).choice).toMatchObject({
      code: 'nothing-chosen',
    });
  });

  it('are as named, by device or by provider, and must be there', async () => {
    const device = await choose({ rig: two, options: { devices: ['1'] } });
    expect(device.choice.cards).toMatchObject([{ device: '1' }]);
    const provider = await choose({ rig: two, options: { providers: [1] } });
    expect(provider.choice.cards).toMatchObject([{ provider: 1 }]);
    expect(provider.choice.cards?.[0]).not.toHaveProperty('device');
    const absent = await choose({ rig: two, options: { devices: ['7'] } });
    expect(absent.choice).toMatchObject({ code: 'no-such-card', exitCode: 3 });
    expect(absent.choice.details?.join('\n')).toContain('--device 0');
    expect((await choose({ rig: two, options: { providers: [5] } })).choice).toMatchObject({
      code: 'no-such-card',
    });
  });

  it('are those that init.devices lists, where it does', async () => {
    const listed = ['1'];
    const seen = await choose({ rig: two, identities: 2, listed });
    expect(seen.choice.cards).toMatchObject([{ device: '1' }]);
    const gpu = { gpu: 'nvidia', noStart: true } as const;
    const blind = await choose({ rig: two, identities: 2, listed: ['0', '1'], options: gpu });
    expect(blind.choice.cards).toMatchObject([{ device: '0' }, { device: '1' }]);
    const named = { ...gpu, devices: ['1'] };
    expect((await choose({ rig: two, listed: ['0', '1'], options: named })).choice.cards).toHaveLength(1);
  });

  it('are refused where postcli is offered none, with the reason', async () => {
    const { choice } = await choose({ rig: { host: 'nvidia-one', providers: NO_OPENCL } });
    expect(choice).toMatchObject({ code: 'no-gpu', exitCode: 4 });
    expect(choice.details?.length).toBeGreaterThan(0);
    const none = await choose({ rig: { host: 'no-card' } });
    expect(none.choice).toMatchObject({ code: 'no-gpu', exitCode: 4 });
  });

  it('are not asked for where there is no Docker and nothing is to be started', async () => {
    const down = { host: 'nvidia-two', engine: 'down' } as const;
    expect((await choose({ rig: down })).choice).toMatchObject({ code: 'engine-down', exitCode: 4 });
    const named = { gpu: 'nvidia', noStart: true, devices: ['0'] } as const;
    expect((await choose({ rig: down, options: named })).choice).toMatchObject({ cards: [{ device: '0' }] });
  });
});

describe('S26: the processor', () => {
  const none = { host: 'no-card' };

  it('needs consent of its own, which --yes is not, and says how long it takes', async () => {
    const refused = await choose({ rig: none, options: { gpu: 'cpu' } });
    expect(refused.choice).toMatchObject({ code: 'cpu-consent', exitCode: 5 });
    const told = await choose({ rig: none, options: { providers: [4_294_967_295], cpu: true } });
    expect(told.choice).toMatchObject({ gpu: 'cpu' });
    expect(told.notes.join()).toMatch(/about \d+ d for 4 units/);
  });

  it('is refused before a key is made where no engine would start it', async () => {
    const down = { host: 'no-card', engine: 'down' } as const;
    const told = { gpu: 'cpu', cpu: true } as const;
    expect((await choose({ rig: down, options: told })).choice).toMatchObject({
      code: 'engine-down',
      exitCode: 4,
    });
    const later = { ...told, noStart: true };
    expect((await choose({ rig: down, options: later })).choice).toMatchObject({ gpu: 'cpu' });
  });

  it('is taken when somebody says so', async () => {
    const answers = (yes: boolean) => ({ 'Compute on the processor, about 663 d for 4 units?': yes });
    expect(
      (await choose({ rig: none, options: { gpu: 'cpu' }, answers: answers(true) })).choice,
    ).toMatchObject({ gpu: 'cpu' });
    expect(
      (await choose({ rig: none, options: { gpu: 'cpu' }, answers: answers(false) })).choice,
    ).toMatchObject({ code: 'cpu-consent' });
  });
});

it('of a project whose last jobs were on the processor are looked for all the same', async () => {
  const { context } = gpuRig({ ...two, folder: tempFolder('cards') });
  const whole = { ...context, yes: true, out: { interactive: false, note: () => {}, warn: () => {} } };
  const project = { ...projectWith({ gpu: 'cpu' }), network: {} };
  const options = { providers: [], devices: [], split: false, cpu: false, noStart: false };
  const wanted = { identities: 2, units: 4 };
  const choice = await chooseCards(whole as never, project as never, options as never, wanted);
  expect(choice).toMatchObject({ gpu: 'nvidia', cards: [{ device: '0' }, { device: '1' }] });
});
