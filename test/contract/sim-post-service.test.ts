import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bundleStandIn,
  fourAtATime,
  freePort,
  type Outcome,
  recordings,
  removeScratch,
  scratch,
  start,
  until,
  withoutRecordings,
} from './run-stand-in.ts';

interface Recorded {
  readonly case: string;
  readonly args: readonly string[];
  readonly exit: number | 'runs on';
  readonly stdout: string;
  readonly stderr: string;
}

type Metadata = Record<string, unknown>;

/** What was done to the directory before the case, by its name; the others ran on a whole one. */
const DAMAGES: Readonly<Record<string, (dir: string) => void>> = {
  'metadata missing': (dir) => rmSync(metadataPath(dir)),
  'metadata not JSON': (dir) => writeFileSync(metadataPath(dir), '{'),
  'metadata without Nonce': (dir) =>
    editMetadata(dir, ({ Nonce: _nonce, NonceValue: _value, ...rest }) => rest),
  'metadata NodeId not base64': (dir) => editMetadata(dir, (metadata) => ({ ...metadata, NodeId: '!!!' })),
  'data files missing': (dir) => {
    for (const name of readdirSync(dir)) if (name.endsWith('.bin')) rmSync(join(dir, name));
  },
  'unknown metadata field': (dir) => editMetadata(dir, (metadata) => ({ ...metadata, Surplus: 1 })),
  'empty directory': (dir) => {
    for (const name of readdirSync(dir)) rmSync(join(dir, name));
  },
};

const recorded: readonly Recorded[] =
  recordings === undefined
    ? []
    : JSON.parse(readFileSync(join(recordings, 'post-service-cli.json'), 'utf8')).cases;

let bundle = '';

beforeAll(async () => {
  bundle = await bundleStandIn('post-service');
});
afterAll(removeScratch);

describe.skipIf(recordings === undefined)(
  `post-service stand-in against the recordings (${withoutRecordings})`,
  () => {
    const outcomes = new Map<string, Outcome>();

    beforeAll(async () => {
      const port = await freePort();
      await fourAtATime(recorded, async (one) => {
        outcomes.set(one.case, await play(one, port));
      });
    });

    it('knows every set-up that the recordings need', () => {
      expect(recorded).toHaveLength(38);
      for (const name of Object.keys(DAMAGES)) expect(recorded.map((one) => one.case)).toContain(name);
    });

    it.each(recorded.map((one) => [one.case, one] as const))('%s', (name, one) => {
      const outcome = outcomes.get(name);
      expect(outcome?.exit ?? 'runs on').toBe(one.exit);
      expect(outcome?.stdout).toBe(one.stdout);
      expect(comparable(outcome?.stderr ?? '')).toEqual(comparable(one.stderr));
    });
  },
);

/** Runs one case; one that should run on is stopped a second after its last recorded line has come. */
async function play(one: Recorded, nodePort: number): Promise<Outcome> {
  const dir = join(scratch(), 'post');
  mkdirSync(dir);
  cpSync(join(recordings ?? '', 'post/complete'), dir, { recursive: true });
  for (const name of readdirSync(dir)) chmodSync(join(dir, name), 0o600);
  DAMAGES[one.case]?.(dir);
  const args = one.args.map((arg) => (arg === '/post' ? dir : arg.replace(':9094', `:${nodePort}`)));
  const running = start(bundle, args);
  if (one.exit !== 'runs on') return running.ended;
  const last = comparable(one.stderr).at(-1);
  await Promise.race([
    until(`${one.case}: ${last}`, () => comparable(running.stderr()).at(-1) === last, 30_000),
    running.ended,
  ]);
  await sleep(1000);
  return running.stop();
}

/** Lines without times, thread numbers and repetitions; a resolver's reason depends on the machine. */
function comparable(text: string): readonly string[] {
  return text
    .replaceAll(/^\[\S+ (INFO|ERROR|DEBUG|WARN)/gm, '[TIME $1')
    .replace(/thread 'main' \(\d+\)/, "thread 'main' (N)")
    .replaceAll(/lookup address information: [^"]+/g, 'lookup address information: REASON')
    .split('\n')
    .filter((line, at, lines) => line !== lines[at - 1]);
}

function metadataPath(dir: string): string {
  return join(dir, 'postdata_metadata.json');
}

function editMetadata(dir: string, change: (metadata: Metadata) => Metadata): void {
  const metadata = JSON.parse(readFileSync(metadataPath(dir), 'utf8')) as Metadata;
  writeFileSync(metadataPath(dir), JSON.stringify(change(metadata)));
}
