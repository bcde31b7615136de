import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keys, startCli } from '../helpers/pty.ts';
import { cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import {
  factsOf,
  limitCpu,
  logOf,
  plain,
  turnKnobs,
  until,
  untilLogged,
  wantedOf,
} from './support/lifecycle.ts';
import { docker, PROVER_IMAGE, TestProject } from './support/project.ts';

const folder = suiteTempFolder('lifecycle-refusals');
let project: TestProject;
let holder: ChildProcess | undefined;

const FOR_EVER = '900000';

/** One reads, one does k2pow, one builds its dataset, one is idle; all of them for as long as the tests look at them. */
beforeAll(async () => {
  project = await TestProject.make(folder, 2, 30);
  project.addIdentity({ randomx: 'fast' });
  project.addIdentity();
  project.write();
  turnKnobs(
    project,
    {
      'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: FOR_EVER, SIM_READ_FRACTION: '1' },
      'post-0002': { SIM_K2POW_MS_PER_UNIT_GROUP: FOR_EVER },
      'post-0003': { SIM_DATASET_MS: FOR_EVER },
      'post-0004': { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '10' },
    },
    // Somebody's own service, which does not care for a SIGTERM: a stop of it takes its time.
    {
      stubborn: {
        image: PROVER_IMAGE,
        entrypoint: ['bash', '-c', 'trap "echo told to end" TERM; while :; do sleep 0.2; done'],
        command: [],
        stop_grace_period: '60s',
        restart: 'no',
      },
    },
  );
  const run = await project.smesh(['up', '--detach']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  await untilLogged(project, 'post-0001', /Reading file/);
  await untilLogged(project, 'post-0002', /calculating proof of work for nonce group 0/);
  await untilLogged(project, 'post-0003', /starting proof generation/);
  await untilLogged(project, 'post-0004', /proof is valid/);
  await until('only post-0004 is done', () => wantedOf(project), wantsAllBut('post-0004'));
  await until('post-0001 has read something', () => project.smesh(['guard', 'post-0001', '--json']), hasEnd);
});

afterEach(() => {
  holder?.kill('SIGKILL');
  holder = undefined;
});

afterAll(async () => {
  await project.cleanUp();
});

function wantsAllBut(service: string) {
  return (wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).length > 0 &&
    Object.entries(wanted).every(([name, state]) => (state === 'proving') === (name !== service));
}

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
        for (const service of ['post-0001', 'post-0002', 'post-0003']) {
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
    expect(await refusalOf('post-0003')).toMatch(
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
    const run = await project.smesh(['stop', 'post-0003', '--force']);
    expect(run.code, run.stderr).toBe(0);
    expect(plain(run.stderr)).toMatch(
      /--force: this is what it costs post-0003 \([0-9a-f]{8}\) builds the dataset .* of work .*registered by/,
    );
    expect(run.stdout).toContain('1 container stopped: post-0003. Data and keys stay.');
    expect((await project.lives())['post-0003']).toContain('exited');
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

describe('S36: two commands at once', () => {
  /** Holds the lock until the test ends: it waits for a safe moment that does not come. */
  async function holdLock(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [requireBuiltCli(), 'stop', 'post-0001', '--wait'], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    holder = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('Waiting for a safe moment of post-0001')) resolve();
      });
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${text}`)));
    });
    return child;
  }

  it('the second is told who is at it and since when; what only looks needs no lock; kill -9 frees it', async () => {
    const { pid } = await holdLock();
    await untouched(async () => {
      const commands = [['restart', 'post-0004'], ['up'], ['down', '--force'], ['generate']];
      for (const args of commands) {
        const run = await project.smesh(args);
        expect(run.code, args.join(' ') + run.stderr).toBe(75);
        expect(plain(run.stderr)).toMatch(
          new RegExp(
            `is being changed by stop \\(pid ${pid}, since \\d{4}-\\d\\d-\\d\\dT.*\\)\\. Nothing was`,
          ),
        );
      }
      expect((await project.smesh(['guard'])).stdout).toContain('post-0001');
      expect((await project.smesh(['status'])).stdout).toContain('post-0001');
      expect((await project.smesh(['plan'])).code).toBe(0);
      expect((await project.smesh(['up', '--dry-run'])).code).toBe(0);
      expect((await project.smesh(['down', '--dry-run'])).code).toBe(5);
    });
    holder?.kill('SIGKILL');
    const next = await project.smesh(['generate']);
    expect(next.code, next.stderr).toBe(0);
  });
});

describe('the node and the idle', () => {
  it('S31: a node that has just started is no licence to stop an idle one', async () => {
    await docker('restart', await project.containerOf('node'));
    const refused = await project.smesh(['stop', 'post-0004']);
    expect(refused.code, refused.stdout).toBe(5);
    expect(plain(refused.stderr)).toMatch(/post-0004 .* (has just started|cannot be asked)/);
  });

  it('a node that hangs is not one that is down: refused, and allowed once it is down', async () => {
    const pid = await mainProcess('node');
    process.kill(pid, 'SIGSTOP');
    try {
      const run = await project.smesh(['stop', 'post-0004']);
      expect(run.code, run.stdout).toBe(5);
      expect(plain(run.stderr)).toMatch(/says that it is idle, while the node cannot be asked/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await project.compose('stop', 'node');
    const refused = await project.smesh(['stop', 'post-0001']);
    expect(refused.code, refused.stdout).toBe(5);
    const run = await project.smesh(['stop', 'post-0004']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/1 container stopped: post-0004\. No proof was lost/);
    expect((await project.lives())['post-0004']).toContain('exited');
  });
});

describe('mixing with plain Docker Compose', () => {
  it('what is down is not restarted; what plain Compose starts is left running', async () => {
    const run = await project.smesh(['restart', 'post-0004']);
    expect(run.code, run.stdout).toBe(6);
    expect(plain(run.stderr)).toMatch(/post-0004 does not run.*smesh-compose up post-0004/);
    const id = (await project.lives())['post-0004']?.split(' ')[0];
    await project.compose('up', '-d');
    expect((await project.lives())['post-0004']).toMatch(new RegExp(`^${id} .* running$`));
    expect((await project.lives())['node']).toContain('running');
  });

  it('S30: a plain docker restart of a prover at work is seen and told as lost work', async () => {
    await docker('restart', '-t', '0', await project.containerOf('post-0002'));
    await untilLogged(project, 'post-0002', /starting proof generation/, 2);
    const status = await project.smesh(['status']);
    expect(plain(status.stdout)).toMatch(
      /post-0002 was restarted while it proved: \d+ (s|min) of work is lost, it began anew/,
    );
    const json = JSON.parse((await project.smesh(['status', '--json'])).stdout);
    const lost = json.findings.filter(({ code }: { code: string }) => code === 'work-lost');
    expect(lost).toMatchObject([{ services: ['post-0002'], severity: 'notice' }]);
    const refused = await project.smesh(['stop', 'post-0002']);
    expect(refused.code, refused.stdout).toBe(5);
  });
});

async function mainProcess(service: string): Promise<number> {
  const top = await docker('top', await project.containerOf(service), '-o', 'pid,args');
  const line = top.split('\n').findLast((one) => /node|go-spacemesh/.test(one)) ?? '';
  return Number(line.trim().split(/\s+/)[0]);
}
