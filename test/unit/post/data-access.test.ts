import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { judgeLook, LOOK_INSIDE, lookAtMetadata, parseLooks } from '../../../src/domain/post/data-access.ts';
import { tempFolder } from '../../helpers/temp.ts';

const OURS = parseSmesherId('ab'.repeat(32)) as SmesherId;
const OTHERS = parseSmesherId('cd'.repeat(32)) as SmesherId;
const base64 = (id: SmesherId) => Buffer.from(id, 'hex').toString('base64');
const metadata = (id: SmesherId) =>
  JSON.stringify({ NodeId: base64(id), NumUnits: 4, LabelsPerUnit: 4_294_967_296 }, null, '\t');
const context = { service: 'post-0001', path: '/mnt/d1/post', expected: OURS };

describe('lookAtMetadata', () => {
  it('reads identity and size', () => {
    expect(lookAtMetadata(metadata(OURS))).toEqual({
      kind: 'readable',
      smesherId: OURS,
      dataBytes: 4 * 4_294_967_296 * 16,
    });
  });

  it('says what is no metadata', () => {
    expect(lookAtMetadata('{')).toEqual({ kind: 'unreadable', what: 'postdata_metadata.json is not JSON' });
    expect(lookAtMetadata('null')).toEqual({ kind: 'readable' });
  });
});

describe('judgeLook', () => {
  it('S21: tells a missing folder from an empty mount point and from a foreign one', () => {
    expect(judgeLook({ kind: 'no-directory' }, context)?.why).toContain('/mnt/d1/post is not there');
    expect(judgeLook({ kind: 'empty' }, context)?.why).toContain('is empty: its disk is not mounted');
    expect(judgeLook({ kind: 'no-metadata' }, context)?.why).toContain('no postdata_metadata.json');
    for (const kind of ['no-directory', 'empty', 'no-metadata'] as const) {
      expect(judgeLook({ kind }, context)?.next).toContain('smesh-compose up post-0001');
    }
  });

  it('lets data of its own identity through, and what could not be looked at', () => {
    expect(judgeLook({ kind: 'readable', smesherId: OURS }, context)).toBeUndefined();
    expect(judgeLook({ kind: 'unknown', reason: 'engine elsewhere' }, context)).toBeUndefined();
  });

  it('holds back data of another identity', () => {
    const hindrance = judgeLook({ kind: 'readable', smesherId: OTHERS }, context);
    expect(hindrance?.why).toContain('holds the data of cdcdcdcd, not of abababab');
  });

  it('S13: explains by owner and mode, and tells a wrong user from a squashed one', () => {
    const look = { kind: 'unreadable', what: 'postdata_0.bin' } as const;
    const permissions = { uid: 1001, gid: 1001, mode: 0o100600 };
    const wrongUser = judgeLook(look, { ...context, user: '1000:1000', permissions });
    expect(wrongUser?.why).toContain('belongs to 1001:1001, mode 0600');
    expect(wrongUser?.next).toContain('user: "1001:1001"');
    const squashed = judgeLook(look, { ...context, user: '1001:1001', permissions });
    expect(squashed?.next).toContain('root_squash');
  });
});

describe('the look from inside', () => {
  /** Runs the very program, with another root in place of /look. */
  function lookAt(root: string): ReturnType<typeof parseLooks> {
    const program = LOOK_INSIDE.replace('/look/*', `${root}/*`);
    return parseLooks(execFileSync('bash', ['-c', program], { encoding: 'utf8' }));
  }

  it('tells whole, empty, foreign and damaged folders apart, whatever their files are called', () => {
    const root = tempFolder('look');
    for (const index of [0, 1, 2, 3]) mkdirSync(join(root, `${index}`));
    writeFileSync(join(root, '0/postdata_metadata.json'), metadata(OURS));
    writeFileSync(join(root, '0/postdata_0.bin'), Buffer.alloc(32));
    writeFileSync(join(root, '2/lost+found'), '');
    writeFileSync(join(root, '3/postdata_metadata.json'), metadata(OTHERS));
    writeFileSync(join(root, '3/postdata_$(touch x).bin'), '');
    const looks = lookAt(root);
    expect(looks.get(0)).toEqual({ kind: 'readable', smesherId: OURS });
    expect(looks.get(1)).toEqual({ kind: 'empty' });
    expect(looks.get(2)).toEqual({ kind: 'no-metadata' });
    expect(looks.get(3)).toEqual({ kind: 'readable', smesherId: OTHERS });
  });

  it.skipIf(process.getuid?.() !== 0)('finds what another user may not open', () => {
    const root = tempFolder('look');
    chmodSync(root, 0o755);
    for (const index of [0, 1, 2]) {
      mkdirSync(join(root, `${index}`));
      writeFileSync(join(root, `${index}/postdata_metadata.json`), metadata(OURS), { mode: 0o644 });
      writeFileSync(join(root, `${index}/postdata_0.bin`), '', { mode: 0o644 });
    }
    chmodSync(join(root, '0/postdata_metadata.json'), 0o600);
    chmodSync(join(root, '1/postdata_0.bin'), 0o600);
    chmodSync(join(root, '2'), 0o700);
    const program = LOOK_INSIDE.replace('/look/*', `${root}/*`);
    const output = execFileSync('bash', ['-c', program], { encoding: 'utf8', uid: 65_534, gid: 65_534 });
    expect(parseLooks(output)).toEqual(
      new Map([
        [0, { kind: 'unreadable', what: 'postdata_metadata.json' }],
        [1, { kind: 'unreadable', what: 'postdata_0.bin' }],
        [2, { kind: 'unreadable', what: 'the folder itself' }],
      ]),
    );
  });

  it('takes no line for a verdict that is none', () => {
    expect(parseLooks('x\treadable\n1\tnonsense\n\n2').size).toBe(0);
  });
});
