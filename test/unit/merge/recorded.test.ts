import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import type { SmeshError } from '../../../src/domain/errors.ts';
import { allRows, makeNode, makeRig, merge, type NodeOptions } from './support/rig.ts';
import { world } from './support/world.ts';

/** How each recorded merge is answered: done, or refused by this code before merge-nodes is even asked. */
const ANSWERS: Readonly<Record<string, string>> = {
  'good: 2 into 2': 'done',
  'fresh target folder': 'done',
  'same file name, other key': 'done',
  'same key under another name': 'identity-in-both',
  'local.key in source': 'done',
  'local.key in target': 'local-key-in-use',
  'source without local.sql': 'no-local-sql',
  'target without local.sql, with keys': 'done',
  'source schema newer': 'source-schema-newer',
  'source schema older': 'source-schema-older',
  'target schema older': 'target-schema',
  'foreign table in source': 'merge-nodes-failed',
  'malformed key in source': 'source-key-faulty',
  'other file beside keys': 'done',
  'source missing': 'no-source',
  'no arguments': 'not of a folder',
  '--src/--dst': 'not of a folder',
  'run twice': 'nothing',
  'source equals target': 'source-is-target',
};

const recordings = process.env.SMESH_RECORDINGS;

describe.skipIf(recordings === undefined)('every recorded merge', () => {
  it('has an answer here', () => {
    const { cases } = JSON.parse(readFileSync(join(recordings ?? '', 'merge-nodes.json'), 'utf8')) as {
      cases: readonly { case: string }[];
    };
    expect(Object.keys(ANSWERS).sort()).toEqual(cases.map((one) => one.case).sort());
  });

  it('of real databases in several moments of an epoch comes with every row', async () => {
    for (const stage of [2, 5, 6]) {
      const one = await world({ data: false }, 1);
      const path = join(one.node.folder, 'local.sql');
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
      cpSync(join(recordings ?? '', `local-sql/stage${stage}.sql`), path);
      const wanted = [...allRows(join(one.nodeData, 'local.sql')), ...allRows(path)].sort();
      expect(await merge(makeRig(one.directory), [one.node.folder]), `stage ${stage}`).toBe(0);
      expect(allRows(join(one.nodeData, 'local.sql')), `stage ${stage}`).toEqual(wanted);
    }
  });
});

describe('merges as the recordings have them, answered', () => {
  const answer = async (
    prepare: (one: Awaited<ReturnType<typeof world>>) => void | Promise<void>,
    options: NodeOptions = {},
  ): Promise<string> => {
    const one = await world(options);
    await prepare(one);
    const rig = makeRig(one.directory);
    return merge(rig, [one.node.folder]).then(
      () => (rig.out.results.join().startsWith('Nothing to merge') ? 'nothing' : 'done'),
      (error: SmeshError) => error.code,
    );
  };

  it('refuses a local.key of the project that has smeshed and has no data in it', async () => {
    expect(
      await answer(({ nodeData, place }) => {
        const other = makeNode(join(place, 'x'), 1);
        writeFileSync(join(nodeData, 'identities/local.key'), other.identities[0]?.keyFile ?? '', {
          mode: 0o600,
        });
        const database = new Database(join(nodeData, 'local.sql'));
        const zero = `x'${'00'.repeat(32)}'`;
        database.exec(
          `INSERT INTO post (id, post_nonce, post_indices, post_pow, num_units, commit_atx, vrf_nonce) VALUES (x'${other.identities[0]?.smesherId}', 1, 'a', 1, 1, ${zero}, 1)`,
        );
        database.close();
      }),
    ).toBe(ANSWERS['local.key in target']);
  });

  it('refuses a project whose node has an older database, passes over other files, and does nothing twice', async () => {
    expect(
      await answer(({ nodeData }) => {
        const database = new Database(join(nodeData, 'local.sql'));
        database.exec('PRAGMA user_version = 8');
        database.close();
      }),
    ).toBe(ANSWERS['target schema older']);
    expect(await answer(({ node }) => writeFileSync(join(node.folder, 'identities/notes.txt'), 'mine'))).toBe(
      ANSWERS['other file beside keys'],
    );
    expect(
      await answer(async ({ directory, node }) => {
        await merge(makeRig(directory), [node.folder]);
      }),
    ).toBe(ANSWERS['run twice']);
  });
});
