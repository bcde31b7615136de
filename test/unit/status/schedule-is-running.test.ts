import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { runLockOf, scheduleIsRunning } from '../../../src/usecases/status/schedule-is-running.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';
import { container } from './evidence.ts';

describe('whether a schedule runs', () => {
  const directory = suiteTempFolder();

  it('is told by the lock of the loop, which stays free for others to take', async () => {
    expect(await scheduleIsRunning(nodeFiles, directory, {})).toBe(false);
    const lock = await nodeFiles.lock(runLockOf(directory), 'run (pid 4711)');
    if ('heldBy' in lock) throw new Error(lock.heldBy);
    expect(await nodeFiles.lockHolder(runLockOf(directory))).toBe('run (pid 4711)');
    expect(await scheduleIsRunning(nodeFiles, directory, {})).toBe(true);
    await lock.release();
    expect(await scheduleIsRunning(nodeFiles, directory, {})).toBe(false);
    const again = await nodeFiles.lock(runLockOf(directory), 'run (pid 4712)');
    expect('heldBy' in again).toBe(false);
    if (!('heldBy' in again)) await again.release();
  });

  it('is told by the container of the orchestrator, whose lock cannot be seen from outside', async () => {
    const up = container('orchestrator');
    expect(await scheduleIsRunning(nodeFiles, directory, { orchestrator: up })).toBe(true);
    const down = container('orchestrator', { state: 'exited' });
    expect(await scheduleIsRunning(nodeFiles, directory, { orchestrator: down })).toBe(false);
  });

  it('is not known where containers cannot be asked', async () => {
    const engineFault = new SmeshError('engine-down', ExitCode.environment, 'down');
    expect(await scheduleIsRunning(nodeFiles, directory, { engineFault })).toBeUndefined();
  });
});
