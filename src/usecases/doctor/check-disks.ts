import {
  type DataFacts,
  type DiskHealth,
  judgeData,
  judgeHealth,
  judgeNodeData,
  type NodeDataFacts,
} from '../../domain/doctor/disks.ts';
import { type DoctorFinding, finding } from '../../domain/doctor/finding.ts';
import { readSmart, type SmartReading } from '../../domain/doctor/smart.ts';
import { gibibytes, several } from '../../domain/doctor/words.ts';
import type { ProgramAnswer } from '../../ports/host.ts';
import type { Context } from '../context.ts';
import type { SeenData } from './data.ts';
import type { SharedLooks } from './look.ts';

const SMART_MS = 6000;
/** Disks on one controller answer one after the other anyway. */
const SMART_AT_ONCE = 8;

/** Data of all identities, the health of the disks below, and the room of the node's databases. */
export async function checkDisks(context: Context, looks: SharedLooks): Promise<readonly DoctorFinding[]> {
  if (looks.project.kind !== 'read') return [];
  const engine = await looks.engine();
  // Paths of another machine mean nothing here.
  if (engine.kind === 'usable' && !engine.docker.endpoint.startsWith('unix:')) return [];
  const { project } = looks.project;
  const [data, hanging] = await Promise.all([looks.data(), looks.hanging()]);
  const nodeHangs = hanging.includes(project.node.data);
  const node: NodeDataFacts = nodeHangs
    ? { path: project.node.data }
    : await lookAtNodeData(context, project.node.data);
  const health = await askDisks(context, data);
  const nodeData: DataFacts[] = nodeHangs ? [{ service: 'node', path: node.path, seen: 'late' }] : [];
  const found = [...judgeData([...data, ...nodeData]), ...judgeHealth(health), ...judgeNodeData(node)];
  if (found.some(({ severity }) => severity !== 'info')) return found;
  const disks = [...new Set(data.flatMap(({ place }) => place?.disks ?? []))].sort();
  const free = node.freeBytes === undefined ? '' : `; ${gibibytes(node.freeBytes)} free for the node`;
  return [
    ...found,
    finding('disks-ok', {
      message: 'All data is where smesh.yaml says',
      evidence: `${data.length} directories${disks.length === 0 ? '' : ` on ${several(disks)}`}${free}`,
      measured: { directories: data.length, disks: disks.length, nodeFreeBytes: node.freeBytes ?? null },
    }),
  ];
}

async function lookAtNodeData({ ports }: Context, path: string): Promise<NodeDataFacts> {
  const host = await ports.host();
  const [freeBytes, state, place] = await Promise.all([
    ports.files.freeBytes(path).catch(() => undefined),
    ports.files.facts(`${path}/state.sql`).catch(() => undefined),
    ports.files
      .realPath(path)
      .then((real) => host.place(real))
      .catch(() => undefined),
  ]);
  return {
    path,
    ...(freeBytes === undefined ? {} : { freeBytes }),
    ...(state === undefined ? {} : { stateBytes: state.size }),
    ...(place === undefined ? {} : { place }),
  };
}

async function askDisks(context: Context, data: readonly SeenData[]): Promise<readonly DiskHealth[]> {
  const host = await context.ports.host();
  const services = new Map<string, string[]>();
  for (const { service, place } of data)
    for (const disk of place?.disks ?? []) services.set(disk, [...(services.get(disk) ?? []), service]);
  const queue = [...services.keys()];
  const health: DiskHealth[] = [];
  const ask = async (): Promise<void> => {
    for (let disk = queue.shift(); disk !== undefined; disk = queue.shift()) {
      const reading = readAnswer(await host.smartctl(disk, SMART_MS));
      health.push({ disk, services: services.get(disk) ?? [], reading });
    }
  };
  await Promise.all(Array.from({ length: SMART_AT_ONCE }, ask));
  return health.sort((a, b) => a.disk.localeCompare(b.disk));
}

function readAnswer(answer: ProgramAnswer): SmartReading {
  if (answer.kind === 'absent') return { kind: 'unknown', reason: 'smartctl is not installed' };
  if (answer.kind === 'late') return { kind: 'unknown', reason: `no answer within ${SMART_MS / 1000} s` };
  return readSmart(answer.text);
}
