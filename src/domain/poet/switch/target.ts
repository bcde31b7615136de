import * as z from 'zod';
import { defaultPoet } from '../../node/networks.ts';
import { parseGoDuration } from '../../project/duration.ts';
import { httpUrl } from '../../project/schema-parts.ts';
import { diagnose, readSource, readValues } from '../../project/source.ts';
import type { Diagnostic, Network, PoetSettings } from '../../project/types.ts';
import { type PoetPreset, poetPreset } from '../presets.ts';

/** PoETs that a project is to change to, before anybody has been asked. */
export interface PoetTarget {
  /** What the user typed: a preset's name or a file. */
  readonly name: string;
  readonly servers: readonly TargetServer[];
  /** Seconds. */
  readonly phaseShift: number;
  readonly cycleGap: number;
  /** Absent: as the project has it. */
  readonly gracePeriod?: number;
  readonly positioningAtxTimeout?: number;
}

export interface TargetServer {
  readonly address: string;
  /** Absent: taken from `/v1/info` and shown. */
  readonly pubkey?: string;
}

export type TargetReading =
  | { readonly ok: true; readonly target: PoetTarget }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const duration = z
  .string()
  .refine((text) => parseGoDuration(text) !== undefined, {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is no duration; write hours, minutes and seconds: 288h, 90s`,
  })
  .transform((text) => parseGoDuration(text) ?? 0);

const server = z.strictObject({
  address: httpUrl,
  pubkey: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "must be the PoET's public key, 32 bytes in base64 (44 characters)")
    .optional(),
});

const schema = z.strictObject({
  servers: z.array(server).min(1, 'names no PoET'),
  phaseShift: duration,
  cycleGap: duration,
  gracePeriod: duration.optional(),
  positioningAtxTimeout: duration.optional(),
});

const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(schema.shape),
  servers: Object.keys(server.shape),
};

/** Reads a file that names PoETs, YAML or JSON. Every fault with its line and field (exit 3 for the caller). */
export function parseTarget(text: string, file: string): TargetReading {
  const source = readSource(text, file);
  if (source.faults.length > 0) return { ok: false, diagnostics: source.faults };
  const parsed = schema.safeParse(readValues(source), { reportInput: true });
  if (!parsed.success) {
    return { ok: false, diagnostics: parsed.error.issues.flatMap((issue) => explain(source, issue)) };
  }
  const { servers, gracePeriod, positioningAtxTimeout, ...times } = parsed.data;
  const twice = servers.flatMap(({ address }, index) =>
    servers.findIndex((other) => other.address === address) < index
      ? [diagnose(source, 'error', ['servers', index, 'address'], `${address} stands here twice`)]
      : [],
  );
  if (twice.length > 0) return { ok: false, diagnostics: twice };
  return {
    ok: true,
    target: {
      name: file,
      ...times,
      servers: servers.map(({ address, pubkey }) => ({
        address,
        ...(pubkey === undefined ? {} : { pubkey }),
      })),
      ...(gracePeriod === undefined ? {} : { gracePeriod }),
      ...(positioningAtxTimeout === undefined ? {} : { positioningAtxTimeout }),
    },
  };
}

function explain(source: ReturnType<typeof readSource>, issue: z.core.$ZodIssue): readonly Diagnostic[] {
  if (issue.code === 'unrecognized_keys') {
    const known = KEYS[issue.path.length === 0 ? '' : 'servers'] ?? [];
    return issue.keys.map((key) =>
      diagnose(source, 'error', [...issue.path, key], `unknown key; known here: ${known.join(', ')}`, 'key'),
    );
  }
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) {
    return [diagnose(source, 'error', issue.path, issue.message)];
  }
  const wanted = { array: 'a list', object: 'a mapping', string: 'a text' }[issue.expected as string];
  const message = issue.input === undefined ? 'is missing' : `${wanted ?? issue.expected} belongs here`;
  return [diagnose(source, 'error', issue.path, message)];
}

/**
 * A preset as a target: `default` is the network's own PoETs (src/domain/node/networks.ts). `undefined`: no such preset;
 * without servers where the addresses are known to members only.
 */
export function presetTarget(name: string, network: Network): PoetTarget | undefined {
  if (name === 'default') {
    const { servers, phaseShift, cycleGap, gracePeriod, positioningAtxTimeout } = defaultPoet(network);
    return { name, servers, phaseShift, cycleGap, gracePeriod, positioningAtxTimeout };
  }
  const preset: PoetPreset | undefined = network.name === 'mainnet' ? poetPreset(name) : undefined;
  return preset === undefined ? undefined : { name, servers: preset.servers, ...preset.times };
}

/** What the project's PoET settings will be; what the target does not name stays. Every server has its key by now. */
export function settingsAfter(
  present: PoetSettings,
  target: PoetTarget,
  pubkeys: ReadonlyMap<string, string>,
): PoetSettings {
  return {
    ...present,
    servers: target.servers.map(({ address, pubkey }) => ({
      address,
      pubkey: pubkey ?? pubkeys.get(address) ?? '',
    })),
    phaseShift: target.phaseShift,
    cycleGap: target.cycleGap,
    gracePeriod: target.gracePeriod ?? present.gracePeriod,
    positioningAtxTimeout: target.positioningAtxTimeout ?? present.positioningAtxTimeout,
  };
}

/** Whether the project says all of that already. */
export function sameSettings(a: PoetSettings, b: PoetSettings): boolean {
  const list = ({ servers }: PoetSettings) =>
    servers
      .map(({ address, pubkey }) => `${address} ${pubkey}`)
      .sort()
      .join('\n');
  return list(a) === list(b) && sameRhythm(a, b) && a.gracePeriod === b.gracePeriod;
}

/** The same rounds: only then a registration with the one is as good as one with the other (spacemesh.md §6.4, §14.7). */
export function sameRhythm(
  a: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
  b: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): boolean {
  return a.phaseShift === b.phaseShift && a.cycleGap === b.cycleGap;
}
