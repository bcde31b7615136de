import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys, startCli } from '../helpers/pty.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { startBusyProject } from './support/busy-project.ts';
import { factsOf, limitCpu, logOf, plain, until, untilLogged } from './support/lifecycle.ts';
import { docker, type TestProject } from './support/project.ts';

const folder = suiteTempFolder('lifecycle-refusals');
let project: TestProject;

beforeAll(async () => {
  project = await startBusyProject(folder, true);
  await until('post-0001 has read something', () => project.smesh(['guard', 'post-0001', '--json']), hasEnd);
});

afterAll(async () => {
  await project.cleanUp();
});

/** It has read for long enough to tell a speed. */
function hasEnd({ stdout }: { readonly stdout: string }): boolean {
  return JSON.parse(stdout).losses[0]?.doneAt !== null;
}

const untouched = async (act: () => Promise<void>) => {
  const before = await project.lives();
  await act();
  expect(await project.lives()).toEqual(before);
};

describe('S30: a prover at work is left alone', () => {
  it('all of them: each by name with what it costs, and no idle one', async () => {
    await untouched(async () => {
      for (const verb of ['stop', 'restart', 'down']) {
        const run = await project.smesh([verb]);
        expect(run.code, run.stdout).toBe(5);
        expect(plain(run.stderr)).toMatch(/post-services prove or may prove/);
        for (const service of ['post-0001', 'post-0002', 'post-0004']) {
          expect(run.stderr, verb).toMatch(new RegExp(`^ +${service} \\([0-9a-f]{8}\\) `, 'm'));
        }
      }
    });
  });

  it('one in k2pow, one that builds its dataset, a paused and a held one: each in words', async () => {
    const second = await project.containerOf('post-0002');
    const refusalOf = async (service: string) => {
      const run = await project.smesh(['restart', service]);
      expect(run.code, run.stdout).toBe(5);
      return plain(run.stderr);
    };
    expect(await refusalOf('post-0002')).toMatch(/is proving: k2pow, group 1 of 1, \d+ .* of work/);
    expect(await refusalOf('post-0004')).toMatch(
      /builds the dataset of its k2pow, and answers nothing meanwhile/,
    );
    await docker('pause', second);
    expect(await refusalOf('post-0002')).toMatch(/is paused and may hold a proof/);
    await docker('unpause', second);
    await limitCpu(project, 'post-0002', 1000);
    expect(await refusalOf('post-0002')).toMatch(/is held by a CPU quota and keeps its work for later/);
    await limitCpu(project, 'post-0002', -1);
    expect((await logOf(project, 'post-0002')).match(/starting proof generation/g)).toHaveLength(1);
  });

  it('--force stops it, and has named the price', async () => {
    const run = await project.smesh(['stop', 'post-0004', '--force']);
    expect(run.code, run.stderr).toBe(0);
    expect(plain(run.stderr)).toMatch(
      /--force: this is what it costs post-0004 \([0-9a-f]{8}\) builds the dataset .* of work .*registered by/,
    );
    expect(run.stdout).toContain('1 container stopped: post-0004. Data and keys stay.');
    expect((await project.lives())['post-0004']).toContain('exited');
  });

  it.each(['stop', 'restart'])('%s of one that reads: percent, work done, deadline, epoch', async (verb) => {
    await untouched(async () => {
      const run = await project.smesh([verb, 'post-0001']);
      expect(run.code, run.stdout).toBe(5);
      const text = plain(run.stderr);
      expect(text).toMatch(
        new RegExp(
          `Refused: post-0001 \\([0-9a-f]{8}\\) is proving: \\d+ % read, \\d+ (s|min) of work that a ${verb} throws away\\. Nothing was changed\\.`,
        ),
      );
      expect(text).toMatch(
        /left alone it is done about \w{3} [\d:]+; begun anew at once, about \w{3} [\d:]+/,
      );
      expect(text).toMatch(/its first proof: registered by .* UTC, it earns from epoch 2 on/);
      expect(text).toContain(`smesh-compose ${verb} post-0001 --wait`);
      expect(text).toContain(`smesh-compose ${verb} post-0001 --force`);
    });
  });

  it('--json has the same as facts', async () => {
    const run = await project.smesh(['stop', 'post-0001', '--json']);
    const [loss, ...more] = factsOf(run).losses;
    expect(more).toEqual([]);
    expect(loss).toMatchObject({
      service: 'post-0001',
      smesherId: project.identities[0]?.smesherId,
      loses: 'work',
      deadline: { kind: 'initial', epoch: 2 },
    });
    expect(loss?.why).toMatch(/is proving: \d+ % read/);
    expect(loss?.workedMs).toBeGreaterThan(0);
    // All of it once more, from now on.
    const [doneAt, againAt] = [Date.parse(loss?.doneAt ?? ''), Date.parse(loss?.againAt ?? '')];
    expect(doneAt).toBeGreaterThan(Date.now());
    expect(Math.abs(againAt - doneAt - (loss?.workedMs ?? 0))).toBeLessThan(5000);
  });

  it('up that would recreate it: exit 5 and the same price for who was named; the others go on', async () => {
    const [, second] = project.identities;
    if (second === undefined) throw new Error('no second identity');
    const before = await project.lives();
    const file = join(folder, 'smesh.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/name: post-000[12]\n/g, '$&    nonces: 32\n'));
    try {
      const named = await project.smesh(['up', 'post-0001', '--detach']);
      expect(named.code, named.stdout + named.stderr).toBe(5);
      expect(plain(named.stdout)).toMatch(
        /post-0001 later: .*but it is proving: \d+ % read .* of work left alone it is done about .* registered by/,
      );
      expect(named.stdout).toContain('smesh-compose up post-0001 --wait (--force: now, its work is lost)');
      const json = await project.smesh(['up', 'post-0002', '--detach', '--json']);
      expect(json.code, json.stderr).toBe(5);
      const [service] = JSON.parse(json.stdout).services;
      expect(service).toMatchObject({
        service: 'post-0002',
        state: 'postponed',
        loss: { smesherId: second.smesherId, loses: 'work', deadline: { kind: 'initial', epoch: 2 } },
      });
      const waited = await project.smesh(['up', 'post-0001', '--wait', '1s', '--detach']);
      expect(waited.code, waited.stdout).toBe(6);
      expect(plain(waited.stderr)).toContain('No safe moment within the time of --wait');
      const shown = startCli(['up', 'post-0001', '--wait'], { cwd: folder });
      await shown.waitFor(/Waiting [\d.]+ s for a safe moment of 1 post-service/);
      shown.type(keys.ctrlC);
      await shown.waitFor('It started nothing');
      expect((await shown.exit).code).toBe(130);
      expect(await project.lives()).toEqual(before);
    } finally {
      writeFileSync(file, text);
      expect((await project.smesh(['generate'])).code).toBe(0);
    }
  });

  it('--dry-run refuses as the command would; with --force it names the price', async () => {
    await untouched(async () => {
      expect((await project.smesh(['stop', 'post-0001', '--dry-run'])).code).toBe(5);
      const run = await project.smesh(['stop', 'post-0001', '--dry-run', '--force']);
      expect(run.code, run.stderr).toBe(0);
      expect(plain(run.stdout)).toMatch(/Would stop post-0001\. It costs: .*registered by/);
    });
  });

  it('guard: 75 with who and why, also for one service by its smesher ID', async () => {
    const all = await project.smesh(['guard']);
    expect(all.code, all.stderr).toBe(75);
    expect(plain(all.stdout)).toMatch(
      /Not now: \d post-services prove or may prove\. post-0001 .* post-0002 /,
    );
    const one = await project.smesh(['guard', project.identities[0]?.smesherId.slice(0, 8) ?? '', '--json']);
    expect(one.code).toBe(75);
    const answer = JSON.parse(one.stdout);
    expect(answer).toMatchObject({ schemaVersion: 1, safe: false, node: null });
    expect(answer.losses).toHaveLength(1);
  });

  it('--wait with too short a time: exit 6, nothing changed', async () => {
    await untouched(async () => {
      const run = await project.smesh(['stop', 'post-0001', '--wait', '2s']);
      expect(run.code, run.stdout).toBe(6);
      expect(plain(run.stderr)).toMatch(
        /No safe moment for post-0001 within 2\.0 s: left as it is, no proof is lost\. Nothing was changed\. post-0001 \(\w+\) is proving: \d+ % read/,
      );
    });
  });

  it('Ctrl-C while it waits: 130, and says what was changed', async () => {
    await untouched(async () => {
      const shown = startCli(['restart', 'post-0001', '--wait'], { cwd: folder });
      await shown.waitFor(/Waiting [\d.]+ s for a safe moment of 1 post-service/);
      await shown.waitFor(/post-0001 +is proving: \d+ % read/);
      shown.type(keys.ctrlC);
      await shown.waitFor('Nothing was changed');
      expect((await shown.exit).code).toBe(130);
      for (const line of shown.text().split('\n')) expect(line.trimEnd().length).toBeLessThanOrEqual(100);
    });
  });

  it('Ctrl-C in the middle: what is begun is finished; a second one ends at once', async () => {
    const shown = startCli(['stop', 'stubborn'], { cwd: folder });
    await untilLogged(project, 'stubborn', /told to end/);
    const before = Date.now();
    shown.type(keys.ctrlC);
    await shown.waitFor('Once more ends at once');
    shown.type(keys.ctrlC);
    expect((await shown.exit).code).toBe(130);
    expect(Date.now() - before).toBeLessThan(10_000);
    await docker('kill', await project.containerOf('stubborn'));
  });
});
