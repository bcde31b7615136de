import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeCrypto } from '../../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import type { ObservedContainer } from '../../../../src/domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../../../src/domain/errors.ts';
import { type AdoptOptions, adopt } from '../../../../src/usecases/adopt/adopt.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { makeIdentity, type TestIdentity } from '../../../helpers/keys.ts';
import { makePostDirectory } from '../../../helpers/post-data.ts';
import { observed } from '../../plan/observed.ts';

export const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';

/** A host with disks, a node's folder and, where a test says so, an engine. */
export class Host {
  readonly containers: ObservedContainer[] = [];
  readonly environments = new Map<string, Record<string, string>>();
  /** By image ID. */
  readonly digests = new Map<string, string>();
  hasEngine = true;
  /** Folder that this user may not enter. */
  closed: string | undefined;
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  write(path: string, content: string | object): string {
    const whole = this.path(path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, typeof content === 'string' ? content : JSON.stringify(content));
    return whole;
  }

  /** PoST data of a new identity below the root, its key in the node's folder unless there is none. */
  identity(data: string, node: string | undefined, keyName?: string): TestIdentity {
    const identity = makeIdentity();
    makePostDirectory(this.path(data), { identity, key: 'none' });
    if (node !== undefined) this.key(node, keyName ?? `${data.replaceAll('/', '-')}.key`, identity);
    return identity;
  }

  key(node: string, name: string, identity: TestIdentity): void {
    mkdirSync(this.path(node, 'identities'), { recursive: true });
    writeFileSync(this.path(node, 'identities', name), identity.keyFile, { mode: 0o600 });
  }

  /** As `docker run --name` makes it. */
  container(
    name: string,
    changes: Partial<ObservedContainer>,
    environment: Record<string, string> = {},
  ): void {
    const { project: _, service: __, ...own } = observed(name);
    const container = { ...own, id: `id-${name}`, name, labels: {}, user: '', ...changes };
    this.containers.push(container);
    this.environments.set(container.id, environment);
  }

  bind(source: string, target: string): ObservedContainer['mounts'][number] {
    return { kind: 'bind', source: this.path(source), target, writable: true };
  }

  #context(folder: string): { context: Context; said: { json?: Report; notes: string[] } } {
    const said: { json?: Report; notes: string[] } = { notes: [] };
    const gone = (code: string) => new SmeshError(code, ExitCode.environment, 'Docker is not here.');
    const note = (text: string) => said.notes.push(text);
    const context = {
      directory: this.path(folder),
      env: {},
      json: true,
      yes: true,
      signal: new AbortController().signal,
      clock: { now: () => 0 },
      out: {
        interactive: false,
        note,
        warn: note,
        result: note,
        json: (value: Report) => {
          said.json = value;
        },
      },
      ports: {
        files: { ...nodeFiles, readTextIfPresent: (path: string) => this.#read(path) },
        crypto: nodeCrypto,
        docker: async () => {
          if (!this.hasEngine) throw gone('engine-down');
          return {
            containers: async () => this.containers,
            environment: async (id: string) => this.environments.get(id) ?? {},
            image: async (id: string) => ({
              digests: [this.digests.get(id)].filter((one) => one !== undefined),
            }),
          };
        },
        compose: async () => {
          throw gone('docker-cli-missing');
        },
      },
    };
    return { context: context as unknown as Context, said };
  }

  #read(path: string): Promise<string | undefined> {
    const isClosed = this.closed !== undefined && path.startsWith(`${this.path(this.closed)}/`);
    return isClosed
      ? Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }))
      : nodeFiles.readTextIfPresent(path);
  }

  /** What a dry run says; rejects as the command does. */
  async adopt(folder: string, options: Partial<AdoptOptions> = {}): Promise<Report & { notes: string[] }> {
    const { context, said } = this.#context(folder);
    await adopt(context, { sources: [], dryRun: true, ...options });
    if (said.json === undefined) throw new Error('said nothing');
    return { ...said.json, notes: said.notes };
  }
}

export interface Report {
  readonly project: Record<string, unknown>;
  readonly text: string;
  readonly identities: readonly { id: string; name: string; data: string }[];
  readonly notExpressible: readonly { service: string; key: string; value: string; meaning: string }[];
  readonly notTaken: readonly { service: string; why: string }[];
  readonly warnings: readonly string[];
  readonly next: { recreated: readonly string[]; first: readonly string[]; steps: readonly string[] };
}

/** `service key: value` of each, sorted. */
export function leftOf(report: Report): readonly string[] {
  return report.notExpressible.map(({ service, key, value }) => `${service} ${key}: ${value}`).sort();
}
