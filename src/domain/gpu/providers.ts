import type { InsideProvider } from './report.ts';

/** A Go string literal; what JSON does not know of it (`\x1b`) stays as it is written. */
function unquote(literal: string): string {
  try {
    const text: unknown = JSON.parse(literal);
    if (typeof text === 'string') return text;
  } catch {
    // Not JSON: read as it stands.
  }
  return literal.slice(1, -1);
}

/**
 * What `postcli -printProviders` prints (Go spew, spacemesh.md §8.2). The kind is taken from the model: it begins with
 * `[GPU]` or `[CPU]`, while the class is printed as a word or a number.
 */
export function parseProviders(stdout: string): readonly InsideProvider[] {
  const blocks = stdout.matchAll(
    /ID: \(uint32\) (\d+),\s*Model: \(string\) \(len=\d+\) ("(?:[^"\\]|\\.)*")/g,
  );
  return [...blocks].map(([, id, literal = '""']) => {
    const model = unquote(literal);
    return { id: Number(id), model, kind: model.startsWith('[CPU]') ? ('cpu' as const) : ('gpu' as const) };
  });
}

/** postcli waits 20 s for a platform and ends with this where there is none (spacemesh.md §14.4). */
export function saysNoOpenCl(stderr: string): boolean {
  return stderr.includes('failed to get OpenCL providers');
}

/** `[GPU] NVIDIA CUDA/NVIDIA GeForce RTX 3090` as platform and device. */
export function splitModel(model: string): { readonly platform: string; readonly device: string } {
  const text = model.replace(/^\[(?:GPU|CPU)\] /, '');
  const slash = text.indexOf('/');
  return slash < 0
    ? { platform: '', device: text }
    : { platform: text.slice(0, slash), device: text.slice(slash + 1) };
}
