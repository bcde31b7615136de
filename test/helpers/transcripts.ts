import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { transcriptsFolder } from './places.ts';

const execFileText = promisify(execFile);

/** Keeps what a program under test printed; a file per test process, so that no two writers share one. */
export function keepTranscript(title: string, text: string): void {
  mkdirSync(transcriptsFolder, { recursive: true });
  appendFileSync(join(transcriptsFolder, `${process.pid}.log`), `=== ${title}\n${text}\n`);
}

/**
 * Keeps logs, environment and arguments of all containers of a Compose project. Call it before they are removed:
 * a private key in a container's environment is as lost as one on a screen.
 */
export async function keepContainerLogs(project: string): Promise<void> {
  const label = `label=com.docker.compose.project=${project}`;
  const { stdout } = await execFileText('docker', ['ps', '-aq', '--filter', label]);
  for (const id of stdout.split('\n').filter((line) => line !== '')) {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const logs = await execFileText('docker', ['logs', id], options);
    const inspected = await execFileText('docker', ['inspect', id], options);
    keepTranscript(
      `docker logs and inspect of ${id} in ${project}`,
      logs.stdout + logs.stderr + inspected.stdout,
    );
  }
}
