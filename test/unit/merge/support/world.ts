import { join } from 'node:path';
import { tempFolder } from '../../../helpers/temp.ts';
import { makeNode, makeProject, type NodeOptions } from './rig.ts';

/** A project with two identities of its own and a node beside it, both run once and stopped. */
export async function world(options: NodeOptions & { readonly database?: boolean } = {}, count = 2) {
  const place = tempFolder('merge-refused');
  const directory = join(place, 'project');
  const own = await makeProject(directory, 2);
  const node = makeNode(join(place, 'old'), count, options);
  return { place, directory, own, node, nodeData: join(directory, 'node-data') };
}
