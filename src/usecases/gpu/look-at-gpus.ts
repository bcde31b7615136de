import type { GpuReport } from '../../domain/gpu/report.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

/**
 * The host's graphics cards, and what postcli offers inside a container with the passthrough of a job. Changes nothing;
 * never rejects for a wrong set-up, which is a finding.
 *
 * @param project its `init.image`, `gpu` and `devices`; without one the defaults
 */
export async function lookAtGpus(_context: Context, _project?: Project): Promise<GpuReport> {
  throw new Error('not written yet');
}
