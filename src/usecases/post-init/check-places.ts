import { isWithin } from '../../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import type { InitOptions } from '../init/options.ts';
import type { Place } from './look-at-places.ts';

/* What is wrong with the places that `post init` was told, before anything is made there. */

export function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice === undefined) return;
  throw new SmeshError('place-twice', ExitCode.usage, `${twice} is named twice, perhaps under two names`, {
    hint: 'Nothing was changed. Name it once; several identities on one disk: --count N',
  });
}

export function oneKind(): SmeshError {
  return new SmeshError(
    'mixed-places',
    ExitCode.usage,
    'Some of these places hold data that is gone on with, others are for new data',
    { hint: 'Nothing was changed. Name them in two commands.' },
  );
}

export function nothingThere(places: readonly string[]): SmeshError {
  return new SmeshError(
    'nothing-to-resume',
    ExitCode.invalid,
    `There is nothing to go on with in ${enumerate(places)}`,
    {
      hint: 'Nothing was changed. See what is there: smesh-compose scan   New data: the same without --resume',
    },
  );
}

/** Found out after the key was made it would leave it without a job. */
export function refuseForeignNode(
  { ports: { system } }: Context,
  project: Project,
  facts: { readonly uid: number } | undefined,
): void {
  if (facts === undefined || system.user.uid === 0 || facts.uid === system.user.uid) return;
  throw new SmeshError(
    'foreign-owner',
    ExitCode.environment,
    `The node's data folder ${project.node.data} belongs to user ${facts.uid}; you are user ${system.user.uid} and cannot put a key there`,
    { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
  );
}

/** New data in what is somebody's already, or one in the other, would sooner or later be mixed with it. */
export async function refuseOverlaps(
  context: Context,
  { node, identities }: Project,
  places: readonly Place[],
  looks: readonly JobLook[],
): Promise<void> {
  const owned = [
    { what: "the node's data folder", path: node.data },
    ...identities.map(({ name, data }) => ({ what: `the directory of ${name}`, path: data })),
    ...(await Promise.all(looks.map((look) => ofJob(context, look)))).flat(),
  ];
  for (const { path, realPath, use } of places) {
    const owner = owned.find((one) => isWithin(path, one.path) || isWithin(realPath, one.path));
    // Its own data: what can be done about that is said where data is gone on with.
    if (owner !== undefined && !(use.kind === 'data' && owner.path === path)) throw taken(path, owner);
    const around = places.find(
      (other) => other.path !== path && other.use.kind === 'directory' && isWithin(realPath, other.realPath),
    );
    if (around !== undefined)
      throw taken(path, { what: 'a directory that is named for data of its own', path: around.path });
  }
}

/** What a job fills, and where its part is joined, also by the names that links lead to. */
async function ofJob(
  { ports: { files } }: Context,
  { job: { name, data, into }, state }: JobLook,
): Promise<readonly { readonly what: string; readonly path: string }[]> {
  const all = [
    { what: `the directory that ${name} fills`, path: data },
    ...(into === undefined ? [] : [{ what: `the directory where ${name} is joined`, path: into }]),
  ];
  // To follow a link on a disk that hangs is to hang.
  if (state.kind === 'away') return all;
  const real = await Promise.all(
    all.map(async ({ what, path }) => ({ what, path: await files.realPath(path).catch(() => path) })),
  );
  return [...all, ...real];
}

function taken(path: string, owner: { readonly what: string; readonly path: string }): SmeshError {
  return new SmeshError(
    'place-taken',
    ExitCode.invalid,
    path === owner.path ? `${path} is ${owner.what}` : `${path} lies in ${owner.what}, ${owner.path}`,
    { hint: 'Nothing was changed. Name another directory.' },
  );
}

/** In a project these are in smesh.yaml: data made for another network than was said is of no use there. */
export function refuseOtherSettings({ network, coinbase, name, node }: Project, told: InitOptions): void {
  const both: readonly (readonly [flag: string, told: string | number | undefined, is: string | number])[] = [
    ['--network', told.network, network.name],
    ['--genesis-time', sameInstant(told.genesisTime, network.genesisTime), network.genesisTime],
    ['--coinbase', told.coinbase, coinbase],
    ['--node-data', told.nodeData, node.data],
    ['--name', told.projectName, name],
    ['--p2p-port', told.p2pPort, node.ports.p2p],
    ['--public-port', told.publicPort, node.ports.publicApi],
    ['--private-port', told.privatePort, node.ports.privateApi],
  ];
  const other = both.find(([, said, is]) => said !== undefined && said !== is);
  if (other === undefined) return;
  throw new SmeshError(
    'other-settings',
    ExitCode.usage,
    `${other[0]} ${other[1]}: there is a project here, and its smesh.yaml says ${other[2]}`,
    { hint: `Nothing was changed. Leave ${other[0]} out; or make a project of its own: -C DIR` },
  );
}

/** One moment has many spellings. */
function sameInstant(told: string | undefined, is: string): string | undefined {
  return told !== undefined && Date.parse(told) === Date.parse(is) ? is : told;
}
