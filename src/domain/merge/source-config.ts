import { isMapping } from '../is-mapping.ts';
import type { ProverSettings } from '../project/types.ts';

/** What the config file of a node that smeshed by itself says about its identities (spacemesh.md §1.2). */
export interface SourceConfig {
  readonly path: string;
  /** `smeshing-proving-opts` as the settings of a prover; what cannot be taken over is in `dropped`. */
  readonly prover: Partial<Pick<ProverSettings, 'nonces' | 'threads' | 'randomx'>>;
  /** `smeshing-opts-datadir`. */
  readonly dataDirectory?: string;
  readonly coinbase?: string;
  /** `main.filelock`: somebody holds it while the node runs. */
  readonly lockFile?: string;
  readonly dataFolder?: string;
  /** Settings of supervised smeshing that no prover has, as `smeshing.smeshing-opts.smeshing-opts-provider: 0`. */
  readonly dropped: readonly string[];
}

type Section = Readonly<Record<string, unknown>>;

/** Of what a node with identities behind post-services still goes by: the scrypt that it verifies with. */
const KEPT_BY_NODE = 'smeshing-opts-scrypt';

/**
 * Reads a node's JSON config as the node does: keys in any case, unknown ones are none of our business. `undefined` when it
 * is no JSON object or has none of a node's sections.
 */
export function readSourceConfig(path: string, text: string): SourceConfig | undefined {
  const root = parse(text);
  if (root === undefined) return undefined;
  const [main, smeshing] = [section(root, 'main'), section(root, 'smeshing')];
  const known = ['main', 'smeshing', 'api', 'p2p', 'poet', 'post', 'genesis', 'preset'];
  if (!known.some((name) => get(root, name) !== undefined)) return undefined;
  const dropped: string[] = [];
  const prover = readProver(section(smeshing, 'smeshing-proving-opts'), dropped);
  const options = section(smeshing, 'smeshing-opts');
  for (const [key, value] of Object.entries(options)) {
    const name = key.toLowerCase();
    if (name === 'smeshing-opts-datadir' || name === KEPT_BY_NODE) continue;
    dropped.push(`smeshing.smeshing-opts.${key}: ${JSON.stringify(value)}`);
  }
  if (get(smeshing, 'smeshing-start') === true)
    dropped.push('smeshing.smeshing-start: true (post-services prove now, not the node)');
  const dataDirectory = nonEmpty(get(options, 'smeshing-opts-datadir'));
  const coinbase = nonEmpty(get(smeshing, 'smeshing-coinbase'));
  const lockFile = nonEmpty(get(main, 'filelock'));
  const dataFolder = nonEmpty(get(main, 'data-folder'));
  return {
    path,
    prover,
    dropped,
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    ...(coinbase === undefined ? {} : { coinbase }),
    ...(lockFile === undefined ? {} : { lockFile }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
  };
}

function readProver(options: Section, dropped: string[]): SourceConfig['prover'] {
  const prover: { nonces?: number; threads?: number; randomx?: 'fast' | 'light' } = {};
  for (const [key, value] of Object.entries(options)) {
    const drop = (why: string) =>
      dropped.push(`smeshing.smeshing-proving-opts.${key}: ${JSON.stringify(value)}${why}`);
    switch (key.toLowerCase()) {
      case 'smeshing-opts-proving-nonces':
        if (isWhole(value) && value > 0 && value % 16 === 0 && value <= 4096) prover.nonces = value;
        else drop(' (a post-service wants a multiple of 16, up to 4096)');
        break;
      case 'smeshing-opts-proving-threads':
        if (isWhole(value) && value <= 4096) prover.threads = value;
        else drop(' (no number of threads)');
        break;
      case 'smeshing-opts-proving-randomx-mode': {
        // The node takes it in any case, a post-service in small letters alone.
        const mode = typeof value === 'string' ? value.toLowerCase() : '';
        if (mode === 'fast' || mode === 'light') prover.randomx = mode;
        else drop(' (neither fast nor light)');
        break;
      }
      default:
        drop('');
    }
  }
  return prover;
}

function parse(text: string): Section | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function get(from: Section, name: string): unknown {
  return Object.entries(from).find(([key]) => key.toLowerCase() === name)?.[1];
}

function section(from: Section, name: string): Section {
  const value = get(from, name);
  return isMapping(value) ? value : {};
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
