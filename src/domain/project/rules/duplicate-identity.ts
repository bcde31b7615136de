import { shortId } from '../../identity/smesher-id.ts';
import { error, type Rule, repeated } from './rule.ts';

/** One key on two provers, or twice in one node, costs the identity for ever (spacemesh.md §9.1). */
export const duplicateIdentity: Rule = ({ project }) =>
  repeated(
    project.identities,
    ({ id }) => id,
    (identity, index, first) =>
      error(
        ['identities', index, 'id'],
        `smesher ${shortId(identity.id)} is served already by ${first.name} from ${first.data}; keep one of the two`,
      ),
  );
