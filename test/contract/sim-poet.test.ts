import { createPrivateKey, sign } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bundleStandIn,
  freePort,
  type Running,
  removeScratch,
  scratch,
  start,
  until,
} from './run-stand-in.ts';
import { makeKey, type TestKey } from './sim-node-support.ts';

type Json = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly body: Json;
}

describe('poet stand-in (spacemesh.md §7, §14.5)', () => {
  let bundle = '';
  beforeAll(async () => {
    bundle = await bundleStandIn('poet');
  });
  afterAll(removeScratch);

  interface Place {
    readonly folder: string;
    readonly rest: number;
    readonly flags: readonly string[];
  }

  /** Ports and folders for one PoET whose genesis is so many seconds away. */
  async function place(secondsToGenesis: number, ...more: string[]): Promise<Place> {
    const folder = scratch();
    const [rest = 0, rpc, config] = await Promise.all([freePort(), freePort(), freePort()]);
    const genesis = new Date((Math.floor(Date.now() / 1000) + secondsToGenesis) * 1000).toISOString();
    const flags = [
      ...['--genesis-time', genesis, '--restlisten', `127.0.0.1:${rest}`, '--rpclisten', `127.0.0.1:${rpc}`],
      ...[
        `--config-rpclisten=127.0.0.1:${config}`,
        '--datadir',
        join(folder, 'data'),
        '--dbdir',
        join(folder, 'db'),
      ],
    ];
    return { folder, rest, flags: [...flags, ...more] };
  }

  async function up({ flags }: Place, env: NodeJS.ProcessEnv = {}): Promise<Running> {
    const running = start(bundle, flags, env);
    await until('the REST server', () => running.stdout().includes('REST proxy starts listening'));
    return running;
  }

  async function ask(rest: number, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${rest}${path}`, {
      ...(body === undefined
        ? {}
        : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  }

  function signed(key: TestKey, message: Buffer): string {
    const head = Buffer.from('302e020100300506032b657004220420', 'hex');
    const der = Buffer.concat([head, key.seedAndId.subarray(0, 32)]);
    return sign(null, message, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).toString(
      'base64',
    );
  }

  async function submission(rest: number, key: TestKey, challenge: Buffer): Promise<Json> {
    const { body } = await ask(rest, '/v1/pow_params');
    const prefix = Buffer.from('network');
    return {
      nonce: '0',
      powParams: body['powParams'],
      prefix: prefix.toString('base64'),
      challenge: challenge.toString('base64'),
      pubkey: key.id.toString('base64'),
      signature: signed(key, Buffer.concat([prefix, challenge])),
      deadline: new Date(Date.now() + 3_600_000).toISOString(),
    };
  }

  const submit = async (rest: number, key: TestKey, challenge: Buffer, changes: Json = {}) =>
    ask(rest, '/v1/submit', { ...(await submission(rest, key, challenge)), ...changes });

  it('says who it is, exactly as the real one', async () => {
    const key = makeKey();
    const at = await place(100, '--epoch-duration', '180s', '--phase-shift', '2m', '--cycle-gap', '60s');
    await up(at, { POET_PRIVATE_KEY: key.seedAndId.toString('base64') });
    const response = await fetch(`http://127.0.0.1:${at.rest}/v1/info`);
    expect(await response.text()).toBe(
      `{"servicePubkey":"${key.id.toString('base64')}","phaseShift":"120s","cycleGap":"60s","certifier":{"url":"","pubkey":""}}`,
    );
    const { body } = await ask(at.rest, '/v1/pow_params');
    expect(body).toEqual({ powParams: { difficulty: 0, challenge: expect.stringMatching(/^[\w+/]{43}=$/) } });
    const missing = { status: 404, body: { code: 5, message: expect.any(String), details: [] } };
    for (const path of ['/v1/proofs/0', '/v1/proofs/x', '/v1/rounds', '/']) {
      expect(await ask(at.rest, path)).toEqual(missing);
    }
  });

  it('takes a challenge for the open round, and gives its proof when the round is over', async () => {
    const at = await place(1, '--epoch-duration', '6s', '--phase-shift', '3s', '--cycle-gap', '3s');
    const poet = await up(at, { SIM_POET_TICKS: '123456789012' });
    const [first, second] = [makeKey(), makeKey()];
    const challenges = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
    const { status, body } = await submit(at.rest, first, challenges[0]);
    expect([status, body['roundId']]).toEqual([200, '0']);
    expect(body['roundEnd']).toMatch(/^\d(\.\d{3})?s$/);
    const end = Date.now() + Number.parseFloat(String(body['roundEnd'])) * 1000;
    expect(Math.abs(end - poetTime(at, 6))).toBeLessThan(500);
    await submit(at.rest, second, challenges[1]);
    expect((await submit(at.rest, first, challenges[0])).status).toBe(200);
    expect((await submit(at.rest, first, challenges[1])).body['code']).toBe(6);
    expect((await ask(at.rest, '/v1/proofs/0')).body['code']).toBe(5);
    await until('round 0', () => poet.stdout().includes('closing round'));
    // The running round takes nobody any more; the next one is open.
    expect((await submit(at.rest, first, challenges[1])).body).toMatchObject({ roundId: '1' });
    expect((await ask(at.rest, '/v1/proofs/0')).status).toBe(404);
    await until('the proof', async () => (await ask(at.rest, '/v1/proofs/0')).status === 200);
    const bytes = expect.stringMatching(/^[\w+/]{43}=$/);
    expect((await ask(at.rest, '/v1/proofs/0')).body).toEqual({
      proof: {
        proof: { root: bytes, provenLeaves: [bytes, bytes], proofNodes: [bytes, bytes] },
        members: challenges.map((one) => one.toString('base64')),
        leaves: '123456789012',
      },
      pubkey: (await ask(at.rest, '/v1/info')).body['servicePubkey'],
    });
  });

  it('refuses what is wrong with 400, and a certificate that it does not trust with 401', async () => {
    const [key, certifier] = [makeKey(), makeKey()];
    const at = await place(
      ...[100, '--pow-difficulty', '4', '--certifier-url', 'http://certifier'],
      ...['--certifier-pubkey', certifier.id.toString('base64')],
    );
    await up(at);
    expect((await ask(at.rest, '/v1/info')).body['certifier']).toEqual({
      url: 'http://certifier',
      pubkey: certifier.id.toString('base64'),
    });
    const challenge = Buffer.alloc(32, 3);
    const good = await submission(at.rest, key, challenge);
    const refused = async (changes: Json | string) => {
      const body = typeof changes === 'string' ? changes : { ...good, ...changes };
      const { status, body: answer } = await ask(at.rest, '/v1/submit', body);
      return [status, answer['code']];
    };
    expect(await refused('{')).toEqual([400, 3]);
    expect(await refused({ pubkey: 'AAAA' })).toEqual([400, 3]);
    expect(await refused({ signature: Buffer.alloc(64).toString('base64') })).toEqual([400, 3]);
    expect(await refused({ challenge: Buffer.alloc(32).toString('base64') })).toEqual([400, 3]);
    expect(await refused({ unheardOf: 1 })).toEqual([400, 3]);
    expect(await refused({ powParams: { difficulty: 0, challenge: 'AAAA' } })).toEqual([400, 3]);
    // One nonce in sixteen is good enough: of a hundred some are, and some are not.
    const outcomes = new Set<number>();
    for (let nonce = 0; nonce < 100 && outcomes.size < 2; nonce += 1) {
      outcomes.add((await ask(at.rest, '/v1/submit', { ...good, nonce: String(nonce) })).status);
    }
    expect([...outcomes].sort()).toEqual([200, 400]);
    const data = Buffer.concat([key.id, Buffer.from('until')]);
    const certificate = { data: data.toString('base64'), signature: signed(certifier, data) };
    const other = { ...certificate, signature: signed(key, data) };
    const { powParams: _pow, nonce: _nonce, ...withoutPow } = good;
    expect((await ask(at.rest, '/v1/submit', { ...withoutPow, certificate })).status).toBe(200);
    const { status, body } = await ask(at.rest, '/v1/submit', { ...withoutPow, certificate: other });
    expect([status, body['code']]).toEqual([401, 16]);
    const early = new Date(Date.now() + 1000).toISOString();
    expect(await refused({ ...withoutPow, certificate, deadline: early })).toEqual([400, 3]);
  });

  it('keeps key, members and begun rounds over a kill, and never begins a round late', async () => {
    const at = await place(1, '--epoch-duration', '6s', '--phase-shift', '2s', '--cycle-gap', '2s');
    const key = makeKey();
    const env = { POET_PRIVATE_KEY: key.seedAndId.toString('base64') };
    const poet = await up(at, env);
    const [challenge, later] = [Buffer.alloc(32, 4), Buffer.alloc(32, 5)];
    expect((await submit(at.rest, makeKey(), challenge)).body['roundId']).toBe('0');
    await until('round 0', () => poet.stdout().includes('closing round'));
    expect((await submit(at.rest, makeKey(), later)).body['roundId']).toBe('1');
    const pow = await ask(at.rest, '/v1/pow_params');
    await poet.stop();
    // Round 0 ends meanwhile, and round 1 begins: its tree is begun by nobody.
    const begins = poetTime(at, 8);
    await new Promise((resolve) => setTimeout(resolve, begins + 300 - Date.now()));
    const again = await up(at);
    expect((await ask(at.rest, '/v1/info')).body['servicePubkey']).toBe(key.id.toString('base64'));
    const { body } = await ask(at.rest, '/v1/proofs/0');
    expect(body).toMatchObject({ proof: { members: [challenge.toString('base64')] } });
    expect(await ask(at.rest, '/v1/pow_params')).not.toEqual(pow);
    await new Promise((resolve) => setTimeout(resolve, poetTime(at, 12.5) - Date.now()));
    expect((await ask(at.rest, '/v1/proofs/1')).status).toBe(404);
    // Stops within a moment on SIGINT, and says so.
    const asked = Date.now();
    again.child.kill('SIGINT');
    expect((await again.ended).exit).toBe(0);
    expect(Date.now() - asked).toBeLessThan(1000);
    const files = readdirSync(at.folder, { recursive: true, encoding: 'utf8' });
    expect(statSync(join(at.folder, 'data/state.bin')).mode & 0o777).toBe(0o600);
    expect(files).toContain('db/proofs/0.json');
  });

  function poetTime({ flags }: Place, seconds: number): number {
    return Date.parse(flags[1] ?? '') + seconds * 1000;
  }

  it('is ended by SIGTERM without a word', async () => {
    const poet = await up(await place(100));
    poet.child.kill('SIGTERM');
    expect(await poet.ended).toMatchObject({ exit: undefined, signal: 'SIGTERM' });
    expect(poet.stdout()).not.toContain('shutdown complete');
  });

  it('refuses another key than that of its data, and a key that is none', async () => {
    const at = await place(100);
    const poet = await up(at);
    await poet.stop();
    const [key, text] = [makeKey(), makeKey().seedAndId.toString('base64')];
    const wrong = await start(bundle, at.flags, { POET_PRIVATE_KEY: key.seedAndId.toString('base64') }).ended;
    expect(wrong).toMatchObject({ exit: 1, stderr: expect.stringContaining('private key mismatch') });
    const cut = await start(bundle, at.flags, { POET_PRIVATE_KEY: text.slice(0, 44) }).ended;
    expect(cut).toMatchObject({ exit: 1, stderr: expect.stringContaining('invalid private key length: 33') });
  });

  it('reads its settings from an INI file, below the command line', async () => {
    const at = await place(100);
    const config = join(at.folder, 'poet.conf');
    writeFileSync(config, '[Round]\nphase-shift = 7s\ncycle-gap=3s\n; a word\nepoch-duration = "20s"\n');
    await up({ ...at, flags: [...at.flags, '-c', config, '--cycle-gap', '4s'] });
    expect((await ask(at.rest, '/v1/info')).body).toMatchObject({ phaseShift: '7s', cycleGap: '4s' });
  });

  it.each([
    [['--no-such-flag'], "unknown flag `no-such-flag'"],
    [['-x'], "unknown flag `x'"],
    [['--phase-shift'], "expected argument for flag `--phase-shift'"],
    [['--phase-shift', '14d'], "invalid argument for flag `--phase-shift' (expected time.Duration)"],
    [['--genesis-time', 'tomorrow'], "invalid argument for flag `--genesis-time' (expected server.Genesis)"],
    [['--pow-difficulty=-1'], "invalid argument for flag `--pow-difficulty' (expected uint)"],
    [['--debuglog=yes'], "bool flag `--debuglog' cannot have an argument"],
    [['-c', '/no/such/file'], 'failed to read config from /no/such/file'],
  ])('ends at once on %j', async (flags, message) => {
    const { exit, stderr } = await start(bundle, flags).ended;
    expect(exit).toBe(1);
    expect(stderr).toContain(message);
  });

  it('names file and line of an unknown option, and a port that is taken', async () => {
    const at = await place(100);
    const config = join(at.folder, 'poet.conf');
    mkdirSync(join(at.folder, 'x'));
    writeFileSync(config, '[Application Options]\nphase-shift = 7s\nnorecovery = true\n');
    const unknown = await start(bundle, [...at.flags, '--configfile', config]).ended;
    expect(unknown).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining(`${config}:3: unknown option: norecovery`),
    });
    await up(at);
    const second = await start(bundle, [...at.flags, '--poetdir', join(at.folder, 'x')]).ended;
    expect(second).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('bind: address already in use'),
    });
  });
});
