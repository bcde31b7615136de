/** One PoET stand-in as a process, and ports that it keeps while it is down. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Outcome, type Running, until } from './run-stand-in.ts';
import type { TestKey } from './sim-node-support.ts';

/**
 * A free port below those that the kernel gives to clients. Nobody listens while the node is down, and a prover that
 * looks for it must not be given that very port for its own end: the node could not take it back.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export class Poet {
  readonly address: string;
  readonly key: TestKey;
  readonly port: number;
  readonly #folder: string;
  readonly #run: (knobs: NodeJS.ProcessEnv) => Running;
  running: Running | undefined;

  constructor(port: number, key: TestKey, folder: string, run: (knobs: NodeJS.ProcessEnv) => Running) {
    this.port = port;
    this.address = `http://127.0.0.1:${port}`;
    this.key = key;
    this.#folder = folder;
    this.#run = run;
  }

  get pubkey(): string {
    return this.key.id.toString('base64');
  }

  async start(knobs: NodeJS.ProcessEnv = {}): Promise<void> {
    const running = this.#run(knobs);
    this.running = running;
    await until('the PoET', () => running.stdout().includes('REST proxy starts listening'));
  }

  /** Happens to it until what is returned is called. */
  misfortune(what: Readonly<Record<string, unknown>>): () => void {
    const path = join(this.#folder, 'data/misfortunes.json');
    writeFileSync(path, JSON.stringify(what));
    return () => rmSync(path);
  }

  async stop(): Promise<Outcome | undefined> {
    this.running?.child.kill('SIGINT');
    return this.running?.ended;
  }
}
