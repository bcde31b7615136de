import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import { withProjectLock } from '../../../src/usecases/project-lock.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';
import { dyingAt, Killed } from './support/killing-files.ts';
import { allRows, makeNode, makeProject, makeRig, merge, undo, whoWouldStart } from './support/rig.ts';

const minute = 60_000;
const suite = suiteTempFolder('merge-killed');

interface World {
  readonly place: string;
  readonly directory: string;
  readonly nodes: readonly string[];
}

/** What must be as before or as after, whichever moment somebody was killed in. */
interface State {
  readonly project: unknown;
  readonly nodes: readonly unknown[];
  readonly rows: readonly string[];
  readonly yaml: string;
  readonly files: readonly string[];
}

const at = (place: string, count = existsSync(join(place, 'two')) ? 2 : 1): World => ({
  place,
  directory: join(place, 'project'),
  nodes: ['one/data', 'two/data'].slice(0, count).map((name) => join(place, name)),
});

/** Sorted; a set is compared by its members. */
const starters = (folder: string) => {
  const found = whoWouldStart(folder);
  return found === 'refuses' ? found : [...found].sort();
};

function stateOf({ place, directory, nodes }: World): State {
  const data = join(directory, 'node-data');
  return {
    project: starters(data),
    nodes: nodes.map(starters),
    rows: allRows(join(data, 'local.sql')),
    yaml: readFileSync(join(directory, 'smesh.yaml'), 'utf8').replaceAll(place, 'PLACE'),
    // Leases are named only: they say when.
    files: [data, ...nodes].flatMap((folder) =>
      readdirSync(join(folder, 'identities'))
        .filter((name) => !name.endsWith('.lease'))
        .map((name) => name.replace(/--see-.*\.key$/, '--see.key')),
    ),
  };
}

/**
 * A copy of a world in the same place, which was moved away before: journals and leases know their paths. Kept times let
 * nobody take a copied database for one that was written.
 */
let copies = 0;
function freshCopy(template: string): World {
  copies += 1;
  const place = join(suite, `w${String(copies).padStart(4, '0')}`);
  // A hole of 256 GiB is no hole any more in a copy.
  const holes: string[] = [];
  const filter = (path: string) => {
    if (path.endsWith('.bin')) holes.push(path);
    return !path.endsWith('.bin');
  };
  cpSync(template, place, { recursive: true, preserveTimestamps: true, filter });
  for (const hole of holes) {
    const copy = join(place, hole.slice(template.length));
    writeFileSync(copy, '');
    truncateSync(copy, statSync(hole).size);
  }
  return at(place);
}

/** Files that hold a key and lie neither in a node's `identities/` nor beside PoST data, whatever they are called. */
function strayKeys(place: string): readonly string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name === 'identity.key' || statSync(path).size > 4096) return [];
    const holdsKey = /[0-9a-f]{128}/i.test(readFileSync(path, 'latin1'));
    return holdsKey && !entry.parentPath.endsWith('/identities') ? [path] : [];
  });
}

/** At any moment: nobody could start one identity twice, and nobody a key whose rows are not there. */
function checkMoment(world: World, history: ReadonlyMap<string, readonly string[]>, moment: string): void {
  const data = join(world.directory, 'node-data');
  expect(strayKeys(world.place), moment).toEqual([]);
  const places = [data, ...world.nodes].map((folder) => ({ folder, who: whoWouldStart(folder) }));
  // Between the first and the last step nobody starts at all.
  const state = join(world.directory, '.smesh');
  const journal = join(state, 'journal/current.json');
  const command = existsSync(journal)
    ? (JSON.parse(readFileSync(journal, 'utf8')) as { command: string }).command
    : '';
  const isOver = existsSync(join(state, 'merge.json')) === (command === 'merge');
  if (['merge', 'merge --undo'].includes(command) && !isOver)
    for (const { folder, who } of places) expect(who, `${moment}: ${folder}`).toBe('refuses');
  const seen = new Map<string, string>();
  for (const { folder, who } of places) {
    if (who === 'refuses') continue;
    for (const id of who) {
      expect(seen.get(id), `${moment}: ${id} in ${folder} as well`).toBeUndefined();
      seen.set(id, folder);
    }
    // A node without keys makes one.
    expect(who.size, `${moment}: ${folder} has no key`).toBeGreaterThan(0);
    expect(existsSync(join(folder, 'local.sql')), `${moment}: ${folder} has no local.sql`).toBe(true);
    const rows = allRows(join(folder, 'local.sql'));
    for (const id of who)
      expect(
        rows.filter((row) => row.startsWith(id)),
        `${moment}: rows of ${id} in ${folder}`,
      ).toEqual(history.get(id));
  }
}

async function template(name: string, count: number): Promise<string> {
  const world = at(join(suite, name), count);
  await makeProject(world.directory, 1);
  makeNode(join(world.place, 'one'), 2);
  if (count > 1) makeNode(join(world.place, 'two'), 1, { names: ['local.key'] });
  return world.place;
}

function historyOf(world: World): ReadonlyMap<string, readonly string[]> {
  const folders = [join(world.directory, 'node-data'), ...world.nodes];
  const all = folders.flatMap((folder) => allRows(join(folder, 'local.sql')));
  const map = new Map<string, string[]>();
  for (const row of all) map.set(row.slice(0, 64), [...(map.get(row.slice(0, 64)) ?? []), row]);
  return map;
}

const editor = createDatabaseEditor();

async function killedAt(
  world: World,
  n: number | undefined,
  act: (rig: ReturnType<typeof makeRig>) => Promise<number>,
) {
  const death = dyingAt(nodeFiles, editor, n);
  const rig = makeRig(world.directory, {
    files: death.files,
    editor: death.editor,
    onMergeNodes: death.change,
  });
  await act(rig).catch((error: unknown) => {
    if (!death.isDead()) throw error;
    if (!(error instanceof Killed) && !/Killed/.test(String((error as Error).cause ?? error))) return;
  });
  return death;
}

/** What `generate`, `up` or any other command does first. */
const nextCommand = (world: World) =>
  withProjectLock(makeRig(world.directory).context, 'generate', async () => 0, { startPending: false });

describe('S38: merge killed at any change it makes', () => {
  it('leaves before or after to the next command, and at no moment an identity in two places or without its rows', {
    timeout: 3 * minute,
  }, async () => {
    const original = await template('merge-template', 2);
    const history = historyOf(at(original));
    const undisturbed = freshCopy(original);
    const before = stateOf(undisturbed);
    const { changes } = await killedAt(undisturbed, undefined, (rig) => merge(rig, undisturbed.nodes));
    const after = stateOf(undisturbed);
    expect(after.project).toHaveLength(4);
    const begun = changes.findLastIndex(
      (what) => what.startsWith('writeAtomic') && what.includes('current.json'),
    );
    expect(begun).toBeGreaterThan(10);
    const ends = { before: 0, after: 0 };
    const barrier = changes.findIndex((what) => what.includes('current.json'));
    for (let n = 1; n <= changes.length; n += 1) {
      // Copies alone are made until then: every third tells as much as all.
      if (n < barrier && n % 3 !== 0) continue;
      const world = freshCopy(original);
      const moment = `before change ${n} (${changes[n - 1]})`;
      await killedAt(world, n, (rig) => merge(rig, world.nodes));
      checkMoment(world, history, moment);
      await nextCommand(world);
      checkMoment(world, history, `${moment}, finished`);
      const end = stateOf(world);
      const isBefore = n <= begun + 1;
      expect(end, moment).toEqual(isBefore ? before : after);
      ends[isBefore ? 'before' : 'after'] += 1;
      // Whoever asks again gets what was wanted.
      if (n % 12 === 0) {
        expect(await merge(makeRig(world.directory), world.nodes), moment).toBe(0);
        expect(stateOf(world), moment).toEqual(after);
      }
      rmSync(world.place, { recursive: true });
    }
    expect(ends.before).toBeGreaterThan(10);
    expect(ends.after).toBeGreaterThan(15);
  });

  it('merge --undo as well', { timeout: 3 * minute }, async () => {
    const original = await template('undo-template', 1);
    const history = historyOf(at(original));
    const first = freshCopy(original);
    const before = stateOf(first);
    await merge(makeRig(first.directory), first.nodes);
    const after = stateOf(first);
    const { changes } = await killedAt(first, undefined, undo);
    expect(stateOf(first)).toEqual(before);
    const begun = changes.findLastIndex(
      (what) => what.startsWith('writeAtomic') && what.includes('current.json'),
    );
    const ends = { before: 0, after: 0 };
    for (let n = 1; n <= changes.length; n += 1) {
      const world = freshCopy(original);
      await merge(makeRig(world.directory), world.nodes);
      const moment = `before change ${n} (${changes[n - 1]})`;
      await killedAt(world, n, undo);
      checkMoment(world, history, moment);
      await nextCommand(world);
      checkMoment(world, history, `${moment}, finished`);
      const isKept = n <= begun + 1;
      expect(stateOf(world), moment).toEqual(isKept ? after : before);
      ends[isKept ? 'after' : 'before'] += 1;
      rmSync(world.place, { recursive: true });
    }
    expect(ends.after).toBeGreaterThan(3);
    expect(ends.before).toBeGreaterThan(15);
  });
});
