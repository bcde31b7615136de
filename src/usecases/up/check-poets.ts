import type { Finding } from '../../domain/plan/findings.ts';
import { epochClock } from '../../domain/poet/epochs.ts';
import { doubledBy, type Stranded, strandedBy } from '../../domain/poet/switch/recover.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';

/**
 * Whether a node that is started with this list ends at once, because identities are registered only where it does not lead
 * and their round has begun, or registers somebody for two rounds that overlap (spacemesh.md §6.4, §14.7): after somebody
 * has edited the list by hand. A database that cannot be read says nothing of it; other checks say that.
 *
 * @param force a node that would end is started all the same, and said; for what can end an identity there is no force
 */
export async function checkPoets(
  context: Context,
  project: Project,
  force: boolean,
): Promise<readonly Finding[]> {
  const database = await (await context.ports.localDatabase()).read(`${project.node.data}/local.sql`);
  if (database.kind !== 'read') return [];
  const rows = new Map(database.identities.map((found) => [found.smesherId, found]));
  const clock = epochClock(project.network, project.poet);
  const now = context.clock.now();
  const stranded = strandedBy(
    {
      servers: project.poet.servers,
      times: project.poet,
      known: new Map(),
      takesOne: false,
      clock,
      identities: project.identities.map(({ id, name }) => ({
        smesher: id,
        name,
        rows: rows.get(id) ?? 'none',
      })),
    },
    now,
  );
  const doubled = doubledBy(
    { servers: project.poet.servers, clock },
    project.identities.flatMap(({ id, name }) => {
      const { challenge, registrations = [] } = rows.get(id) ?? {};
      return challenge === undefined ? [] : [{ name, publishEpoch: challenge.publishEpoch, registrations }];
    }),
    now,
  );
  return [...unlisted(stranded, force), ...overlapping(doubled)];
}

function unlisted(stranded: readonly Stranded[], force: boolean): readonly Finding[] {
  if (stranded.length === 0) return [];
  const one = stranded.length === 1;
  const places = [...new Set(stranded.flatMap(({ addresses }) => addresses))];
  return [
    {
      code: 'poet-registrations-unlisted',
      severity: force ? 'warning' : 'error',
      kind: 'refused',
      message: `${enumerate(stranded.map(({ name }) => name))} ${one ? 'is' : 'are'} registered for a round that runs with PoETs that poet.servers does not name: the node would end at every start`,
      evidence: places.join(', '),
      next: 'Put them back into poet.servers, or let it be done: smesh-compose poet recover   In a moment in which it costs nothing: smesh-compose poet switch --to …',
    },
  ];
}

function overlapping(
  doubled: readonly { readonly name: string; readonly addresses: readonly string[] }[],
): readonly Finding[] {
  if (doubled.length === 0) return [];
  return [
    {
      code: 'poet-registrations-overlap',
      severity: 'error',
      kind: 'refused',
      message: `${enumerate(doubled.map(({ name }) => name))} ${doubled.length === 1 ? 'is' : 'are'} registered for a round of other times than poet in smesh.yaml has: registered for two that overlap, an identity could end with two ATXs and be cancelled for ever`,
      evidence: [...new Set(doubled.flatMap(({ addresses }) => addresses))].join(', '),
      next: 'Put the former PoETs and their times back into smesh.yaml, then change them in a moment in which it costs nothing: smesh-compose poet switch --to …',
    },
  ];
}
