import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PoetOptions } from '../../helpers/poet-server.ts';
import { deadPoet, poet, scene } from './scene.ts';

describe('poet list', () => {
  it('says what each server is, did, and who is registered there', async () => {
    const [first, second] = [
      await poet({ certifier: 'https://certifier.example', proofs: { 100: 9_000_000, 99: 8_000_000 } }),
      await poet({ proofs: { 100: 7_000_000 } }),
    ];
    const at = await scene([first, second]);
    at.database([0, first.address], [1, first.address], [1, 'http://gone.example']);
    const run = await at.run('poet');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /2 PoET servers, phase shift 12 h, cycle gap 2 h; round 101 ends .*Mon 04:00 UTC/,
    );
    expect(run.stdout).toMatch(/ADDRESS +KEY +PHASE +GAP +AUTH +LEAVES 100 +LEAVES 99 +HERE/);
    expect(run.stdout).toMatch(/12 h {3}2 h +cert +9,000,000 +8,000,000 +2 of 2/);
    expect(run.stdout).toMatch(/12 h {3}2 h +work +7,000,000 +none +0 of 2/);
    expect(run.stderr).toContain('registered with http://gone.example, which is not in the list');
    const json = JSON.parse((await at.run('poet', 'list', '--json')).stdout);
    expect(json).toMatchObject({
      runningRound: 101,
      registrationsKnown: true,
      registeredElsewhere: ['http://gone.example'],
      servers: [
        {
          address: first.address,
          pubkey: first.pubkey,
          reachable: true,
          certifier: 'https://certifier.example',
          registeredIdentities: 2,
          rounds: [
            { round: 101, running: true, proof: false },
            { round: 100, leaves: 9_000_000 },
            { round: 99, leaves: 8_000_000 },
          ],
        },
        { registeredIdentities: 0 },
      ],
    });
  });

  it('lists a dead one and a damaged database all the same', async () => {
    const at = await scene([await poet(), await deadPoet()]);
    writeFileSync(join(at.folder, 'node-data/local.sql'), 'no database at all, but long enough to look at');
    const run = await at.run('poet', 'list', '--rounds', '0');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/no answer +\?$/m);
    expect(run.stdout).toMatch(/! http:\/\/127\.0\.0\.1:\d+: connection refused\n.*9 to 18 minutes/);
    expect(run.stderr).toMatch(/Who is registered where is not known: .*local\.sql/);
  });
});

describe('poet check', () => {
  const proofs = { 100: 9_000_000, 99: 8_900_000 };

  it('finds nothing wrong with two that fit, and says what cannot be read', async () => {
    const at = await scene([await poet({ proofs }), await poet({ proofs })]);
    const run = await at.run('poet', 'check');
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/smesh-compose poet check · p \(testnet\)/);
    expect(run.stdout).toMatch(/Genesis and epoch length of a PoET cannot be read/);
    expect(run.stdout.replaceAll(/\s+/g, ' ')).toMatch(/101 \(runs\) none, 100 proof, 99 proof/);
  });

  it.each<[string, PoetOptions, string, number]>([
    ['another phase', { phaseShift: 3600 }, 'poet-phase-shift', 3],
    ['another gap', { cycleGap: 3600 }, 'poet-cycle-gap', 3],
    ['another key', { liesAboutKey: true }, 'poet-key', 3],
    ['silence', { hangs: true }, 'poet-unreachable', 3],
    ['a web page', { body: '<html>' }, 'poet-malformed', 3],
    ['a proof too early', { proofs: { 101: 1000, ...proofs } }, 'poet-round-early', 3],
    ['a clock that is off', { skewMs: 90_000, proofs }, 'poet-clock', 0],
    ['a round without a proof', { proofs: { 99: 8_900_000 } }, 'poet-round-missing', 0],
    ['less work', { proofs: { 100: 5_000_000, 99: 8_900_000 } }, 'poet-less-work', 0],
  ])('finds %s', async (_, options, code, exitCode) => {
    const bad = await poet(options);
    const at = await scene([await poet({ proofs }), await poet({ proofs }), bad]);
    const run = await at.run('poet', 'check', '--timeout', '500ms', '--json');
    const document = JSON.parse(run.stdout);
    expect(run.code).toBe(exitCode);
    expect(document).toMatchObject({ schemaVersion: 1, exitCode });
    const found = document.findings.find((one: { code: string }) => one.code === code);
    expect(found).toMatchObject({ subject: bad.address });
    expect(document.servers).toHaveLength(3);
  });

  it('looks at one that is not in the list, and says nothing of the others', async () => {
    const at = await scene([await poet()]);
    const candidate = await poet({ proofs });
    const run = await at.run('poet', 'check', candidate.address, '--json');
    expect(run.code).toBe(0);
    const document = JSON.parse(run.stdout);
    expect(document.servers).toMatchObject([{ address: candidate.address, inList: false, pubkey: null }]);
    expect(document.findings.map(({ code }: { code: string }) => code)).not.toContain('poet-single');
  });

  it('finds identities that are registered with none of the list', async () => {
    const at = await scene([await poet({ proofs }), await poet({ proofs })]);
    at.database([0, 'http://gone.example']);
    const run = await at.run('poet', 'check');
    expect(run.code).toBe(3);
    expect(run.stdout).toMatch(/http:\/\/gone\.example.*\n?.*registered with this PoET/);
    expect(run.stdout).toContain('smesh-compose poet recover --dry-run');
  });
});
