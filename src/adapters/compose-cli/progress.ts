import type { ComposeProgress } from '../../ports/compose.ts';

const KINDS: Readonly<Record<string, ComposeProgress['kind']>> = {
  Container: 'container',
  Network: 'network',
  Volume: 'volume',
  Image: 'image',
};

/** Reads a line of `--progress plain`: ` Container smesh-node-1  Creating`, ` node Pulling`; `undefined` for others. */
export function parseProgress(line: string): ComposeProgress | undefined {
  const [, word, named, status] = /^\s(Container|Network|Volume|Image) (\S+) +(\S.*?)\s*$/.exec(line) ?? [];
  if (word !== undefined && named !== undefined && status !== undefined) {
    return { kind: KINDS[word] ?? 'other', name: named.replace(/^"|"$/g, ''), status };
  }
  const [, name, verb] = /^\s(\S+) (Pulling|Pulled|Skipped|Error|Warning)\b.*$/.exec(line) ?? [];
  if (name !== undefined && verb !== undefined) return { kind: 'image', name, status: verb };
  return undefined;
}

/**
 * What Compose has to say for a failure: its stderr without progress lines and warnings; its last line is the cause.
 */
export function failureLines(stderr: string): readonly string[] {
  const lines = stderr
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(
      (line) => line !== '' && parseProgress(line) === undefined && !/level=(warning|info|debug)/.test(line),
    );
  const meant = lines.map((line) =>
    line.replace(/^Error response from daemon: /, '').replace(/^Error: /, ''),
  );
  return [...new Set(meant)];
}
