import type { Hindrance } from '../../domain/plan/decide-up.ts';
import {
  type DataLook,
  judgeLook,
  LOOK_INSIDE,
  lookAtMetadata,
  type Permissions,
  parseLooks,
} from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Identity } from '../../domain/project/types.ts';
import type { HelperMount } from '../../ports/docker.ts';
import type { FilesPort } from '../../ports/files.ts';
import type { Context } from '../context.ts';
import type { EngineObservation } from './observe-engine.ts';

export interface DataCheck {
  /** By service. */
  readonly hindrances: ReadonlyMap<string, Hindrance>;
  /** Size of the PoST data by service, where it could be read. */
  readonly dataBytes: ReadonlyMap<string, number>;
}

const LOOK_TIMEOUT_MS = 60_000;

/**
 * Whether each prover finds its PoST data: on the host for all, and from inside a container, as the very user, for those
 * in `toStart` (S13, S21). One helper container per user looks at all its directories.
 */
export async function checkData(
  context: Context,
  observation: EngineObservation,
  identities: readonly Identity[],
  toStart: ReadonlySet<string>,
): Promise<DataCheck> {
  const onHost = await Promise.all(
    identities.map(async (identity) => ({
      identity,
      look: observation.engineIsHere
        ? await lookOnHost(context.ports.files, identity.data)
        : ({ kind: 'unknown', reason: 'the engine is on another machine' } as const),
    })),
  );
  const hindrances = new Map<string, Hindrance>();
  const dataBytes = new Map<string, number>();
  const toMount: Identity[] = [];
  for (const { identity, look } of onHost) {
    if (look.kind === 'readable' && look.dataBytes !== undefined)
      dataBytes.set(identity.name, look.dataBytes);
    // What this process may not read, the container may; inside is where it counts.
    const hindrance = look.kind === 'unreadable' ? undefined : judge(identity, look);
    if (hindrance !== undefined) hindrances.set(identity.name, hindrance);
    else if (toStart.has(identity.name)) toMount.push(identity);
  }
  for (const [name, hindrance] of await checkInside(context, observation, toMount)) {
    hindrances.set(name, hindrance);
  }
  return { hindrances, dataBytes };
}

function judge(
  identity: Identity,
  look: DataLook,
  inside: { readonly user?: string; readonly permissions?: Permissions } = {},
): Hindrance | undefined {
  return judgeLook(look, { service: identity.name, path: identity.data, expected: identity.id, ...inside });
}

async function lookOnHost(files: FilesPort, path: string): Promise<DataLook> {
  try {
    return lookAtMetadata(await files.readText(`${path}/${METADATA_FILE}`));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'unreadable', what: METADATA_FILE };
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { kind: 'unknown', reason: String(code) };
  }
  try {
    return { kind: (await files.list(path)).length === 0 ? 'empty' : 'no-metadata' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { kind: 'no-directory' }
      : { kind: 'unreadable', what: 'the folder itself' };
  }
}

async function checkInside(
  context: Context,
  observation: EngineObservation,
  identities: readonly Identity[],
): Promise<readonly (readonly [string, Hindrance])[]> {
  const groups = new Map<string, Identity[]>();
  for (const identity of identities) {
    const user = userOf(observation, identity.name);
    groups.set(user, [...(groups.get(user) ?? []), identity]);
  }
  const found = await Promise.all(
    [...groups].map(([user, members]) => lookInside(context, observation, user, members)),
  );
  const hindrances = await Promise.all(
    found.flat().map(async ({ identity, user, look }) => {
      const permissions =
        look.kind === 'unreadable' && observation.engineIsHere
          ? await permissionsOf(context.ports.files, identity.data, look.what)
          : undefined;
      const hindrance = judge(identity, look, {
        user: user === '' ? '0:0' : user,
        ...(permissions === undefined ? {} : { permissions }),
      });
      return hindrance === undefined ? [] : [[identity.name, hindrance] as const];
    }),
  );
  return hindrances.flat();
}

interface InsideLook {
  readonly identity: Identity;
  readonly user: string;
  readonly look: DataLook;
}

function userOf(observation: EngineObservation, service: string): string {
  const user = observation.config.services[service]?.['user'];
  return typeof user === 'string' ? user : '';
}

/** A mount that the engine refuses takes the whole helper with it: then each directory gets one of its own. */
async function lookInside(
  context: Context,
  observation: EngineObservation,
  user: string,
  identities: readonly Identity[],
): Promise<readonly InsideLook[]> {
  // Without an image nothing can run here yet; Compose pulls it when the containers are made.
  const image = observation.desired.find(
    (service) => service.imageId !== undefined && identities.some(({ name }) => name === service.name),
  )?.image;
  if (image === undefined) return [];
  const docker = await context.ports.docker();
  const result = await docker.runHelper({
    image,
    command: ['bash', '-c', LOOK_INSIDE],
    ...(user === '' ? {} : { user }),
    mounts: identities.map(
      (identity, index): HelperMount => ({ source: identity.data, target: `/look/${index}` }),
    ),
    timeoutMs: LOOK_TIMEOUT_MS,
    maxOutputBytes: 1024 * 1024,
  });
  if (result.kind === 'not-started' && identities.length > 1) {
    const single: InsideLook[] = [];
    for (const identity of identities)
      single.push(...(await lookInside(context, observation, user, [identity])));
    return single;
  }
  const looks = parseLooks(result.kind === 'not-started' ? '' : result.stdout);
  return identities.map((identity, index) => ({
    identity,
    user,
    look: looks.get(index) ?? silentLook(result),
  }));
}

function silentLook(result: { readonly kind: string; readonly reason?: string }): DataLook {
  if (result.kind === 'timed-out') {
    return { kind: 'unreadable', what: `no answer within ${LOOK_TIMEOUT_MS / 1000} s: a disk hangs` };
  }
  if (result.kind !== 'not-started') return { kind: 'unknown', reason: 'the helper container said nothing' };
  const reason = result.reason ?? '';
  // The engine's words for a missing bind source.
  return /bind source path does not exist|no such file or directory/.test(reason) && reason.includes('mount')
    ? { kind: 'no-directory' }
    : { kind: 'unknown', reason };
}

async function permissionsOf(files: FilesPort, path: string, what: string): Promise<Permissions | undefined> {
  const inner = what.startsWith('postdata_') ? `${path}/${what}` : path;
  return files.facts(inner).catch(() => undefined);
}
