import { execFile, spawn } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { keepTranscript } from '../../helpers/transcripts.ts';
import { type Act, type Excuse, outcomeOf, type State, Tally } from './acts.ts';
import { type ChaosRecord, type Fault, judge, type Verdict } from './judge.ts';
import type { World } from './world.ts';

const run = promisify(execFile);

/** A command that does not end by then never will. */
const COMMAND_WITHIN_MS = 90_000;

export interface ToolOptions {
  /** What it is aimed at; the states of these are counted. */
  readonly targets?: readonly string[];
  /** Ended by SIGKILL after so many milliseconds. */
  readonly killAfterMs?: number;
  /** Runs meanwhile. */
  readonly meanwhile?: () => Promise<void>;
  /** Exit codes that may be; any other is a fault of the tool. */
  readonly mayEnd?: readonly number[];
}

export interface ToolRun {
  readonly act: Act;
  readonly output: string;
}

/** Does things to the project, one after the other, and keeps account of what was done and what came of it. */
export class Journal {
  readonly world: World;
  readonly tally = new Tally();
  readonly acts: Act[] = [];
  readonly complaints: string[] = [];
  readonly counts = { killed: 0, engineRestarts: 0, nodeRestarts: 0, upgrades: 0, busy: 0 };
  readonly #excuses: { service: string; from: number; to: number; why: string }[] = [];
  readonly #cli: string;
  readonly #log: (line: string) => void;
  readonly #began = Date.now();

  constructor(world: World, cli: string, log: (line: string) => void) {
    this.world = world;
    this.#cli = cli;
    this.#log = log;
  }

  say(text: string): void {
    const now = Date.now();
    const elapsed = ((now - this.#began) / 1000).toFixed(1).padStart(7);
    this.#log(`${elapsed} s  ${this.world.times.describe(now).padEnd(24)} ${text}`);
  }

  /** Something that must not be, besides what the ledgers tell. */
  complain(text: string): void {
    this.complaints.push(text);
    this.say(`FAULT ${text}`);
  }

  /** Runs the tool in the project's folder. */
  async tool(args: readonly string[], options: ToolOptions = {}): Promise<ToolRun> {
    const targets = options.targets ?? [];
    const states = new Map(targets.map((service) => [service, this.world.statesOf(service)]));
    const before = this.world.summary();
    const begin = Date.now();
    const number = this.acts.length + 1;
    const command = `smesh-compose ${args.join(' ')}`;
    const open: Act = {
      ...{ number, by: 'tool', command, forced: args.includes('--force'), targets, begin, states },
      ...{ end: Number.POSITIVE_INFINITY, exit: null },
    };
    this.acts.push(open);
    const running = this.#spawn(args, options.killAfterMs).then(({ exit, output }) => {
      const act: Act = { ...open, end: Date.now(), exit };
      this.acts[this.acts.indexOf(open)] = act;
      this.#account(act, options, before, output);
      return { act, output };
    });
    const [done] = await Promise.all([running, options.meanwhile?.()]);
    return done;
  }

  #spawn(
    args: readonly string[],
    killAfterMs?: number,
  ): Promise<{ readonly exit: number | null; readonly output: string }> {
    const { engine, project } = this.world;
    const inside = engine.inside(process.execPath, this.#cli, ...args);
    return new Promise((resolve, reject) => {
      const child = spawn(inside.program, inside.args, {
        cwd: project.folder,
        env: engine.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk));
      child.once('error', reject);
      const limit = killAfterMs ?? COMMAND_WITHIN_MS;
      const timer = setTimeout(() => child.kill('SIGKILL'), limit);
      const ended = (exit: number | null) => {
        clearTimeout(timer);
        keepTranscript(`chaos: smesh-compose ${args.join(' ')} → ${exit}`, output);
        if (exit === null && killAfterMs === undefined)
          this.complain(`${args.join(' ')} did not end:\n${output}`);
        resolve({ exit, output });
      };
      // Of a killed one the children may live on and hold the pipes.
      if (killAfterMs === undefined) child.once('close', ended);
      else child.once('exit', ended);
    });
  }

  /** Something that is not the tool's doing. */
  async other(command: string, targets: readonly string[], act: () => Promise<unknown>): Promise<void> {
    const states = new Map(targets.map((service) => [service, this.world.statesOf(service)]));
    const open: Act = {
      ...{ number: this.acts.length + 1, by: 'other', command, forced: false, targets, states },
      ...{ begin: Date.now(), end: Number.POSITIVE_INFINITY, exit: 0 },
    };
    this.acts.push(open);
    await act();
    this.acts[this.acts.indexOf(open)] = { ...open, end: Date.now() };
    this.say(`${command}  (${targets.map((one) => `${one}: ${states.get(one)?.join('+')}`).join(', ')})`);
  }

  /** Plain Compose in the project's folder. */
  async compose(...args: readonly string[]): Promise<void> {
    const { engine, project } = this.world;
    const { stdout, stderr } = await run('docker', ['compose', ...args], {
      cwd: project.folder,
      env: engine.env,
    });
    keepTranscript(`chaos: docker compose ${args.join(' ')}`, stdout + stderr);
  }

  /** From now on nobody can expect these to work, until `settle` or the end of the span. */
  excuse(services: readonly string[], why: string, from = Date.now(), to = Number.POSITIVE_INFINITY): void {
    for (const service of services) this.#excuses.push({ service, from, to, why });
  }

  /** From now on they are expected to work again. */
  settle(services: readonly string[], at = Date.now()): void {
    for (const excuse of this.#excuses) {
      if (services.includes(excuse.service) && excuse.to === Number.POSITIVE_INFINITY) excuse.to = at;
    }
  }

  record(until = Date.now()): ChaosRecord {
    const { world } = this;
    return {
      times: world.times,
      identities: new Map(world.project.identities.map(({ name, smesherId }) => [name, smesherId])),
      ledgers: world.ledgers(),
      deaths: world.deaths,
      acts: this.acts,
      excuses: this.#excuses as readonly Excuse[],
      until,
    };
  }

  judge(until?: number): Verdict {
    return judge(this.record(until));
  }

  faults(): readonly (Fault | { readonly kind: 'complaint'; readonly text: string })[] {
    return [...this.judge().faults, ...this.complaints.map((text) => ({ kind: 'complaint' as const, text }))];
  }

  #account(act: Act, options: ToolOptions, before: string, output: string): void {
    const outcome = outcomeOf(act);
    if (outcome !== undefined) {
      for (const states of act.states.values()) {
        for (const state of states) this.tally.add(outcome, state as State);
      }
    }
    if (act.exit === null) this.counts.killed += 1;
    if (act.exit === 75) this.counts.busy += 1;
    const aimed = act.targets.length > 3 ? [] : act.targets;
    const states = aimed.map((one) => `${one}: ${act.states.get(one)?.join('+')}`).join(', ');
    const result = act.exit === null ? 'killed' : `exit ${act.exit}`;
    const took = ((act.end - act.begin) / 1000).toFixed(1);
    this.say(`${act.command} → ${result} in ${took} s  (${states === '' ? before : states})`);
    const allowed = options.mayEnd ?? [0, 5];
    if (act.exit !== null && !allowed.includes(act.exit)) {
      this.complain(`act ${act.number}, ${act.command}: exit ${act.exit}\n${output}`);
    }
  }
}
