import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What a process that does not end is doing, for the message of the test that waited for it: its threads with what they
 * wait for in the kernel, its open files and its children. Never throws: it may end meanwhile.
 */
export function describeProcess(pid: number): string {
  const threads = namesIn(`/proc/${pid}/task`).map((thread) => {
    const at = `/proc/${pid}/task/${thread}`;
    const state = /^State:\t(.*)$/m.exec(textOf(`${at}/status`))?.[1] ?? '?';
    return `  thread ${thread} ${textOf(`${at}/comm`)}: ${state}, ${textOf(`${at}/wchan`)}, syscall ${textOf(`${at}/syscall`)}`;
  });
  const files = namesIn(`/proc/${pid}/fd`).map((file) => `${file} → ${linkOf(`/proc/${pid}/fd/${file}`)}`);
  const children = textOf(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => `${child} ${textOf(`/proc/${child}/cmdline`).replaceAll('\0', ' ')}`);
  return [
    `process ${pid}:`,
    ...threads,
    `  open: ${files.join(', ')}`,
    `  children: ${children.join(', ')}`,
  ].join('\n');
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '?';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '?';
  }
}
