import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import type { Identity } from '../../domain/project/types.ts';
import { type DataSeenHere, notLearnt } from '../../domain/verification/facts.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';

/** Whose data lie in an identity's folder, by their metadata. */
export async function lookAtData(
  { ports, clock }: Context,
  { data, id }: Identity,
  timeoutMs: number,
): Promise<DataSeenHere> {
  const look = async (): Promise<DataSeenHere> => {
    try {
      const reading = readMetadata(await ports.files.readText(`${data}/${METADATA_FILE}`));
      if (reading.kind === 'malformed') return { kind: 'malformed', why: reading.reasons.join('; ') };
      const { smesherId, units } = reading.metadata;
      return smesherId === id ? { kind: 'own', units } : { kind: 'of-another', smesher: smesherId };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
      if (code === undefined) throw error;
      return notLearnt(`its metadata cannot be read (${code})`);
    }
  };
  // A dead network share answers never.
  return (await within(clock, look(), timeoutMs)) ?? notLearnt('the disk does not answer');
}
