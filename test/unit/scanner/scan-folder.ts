import { inspect } from 'node:util';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { createScanner } from '../../../src/adapters/scanner/index.ts';
import type { ScanReport } from '../../../src/domain/post/types.ts';
import type { ScanRequest } from '../../../src/ports/scanner.ts';
import { renderScan } from '../../../src/ui/scan.ts';
import { keepTranscript } from '../../helpers/transcripts.ts';

/** Scans and keeps everything that could be shown of it, for the search for private keys. */
export async function scanFolders(
  roots: readonly string[],
  changes: Partial<ScanRequest> = {},
): Promise<ScanReport & { readonly shown: string }> {
  const report = await createScanner({ crypto: nodeCrypto }).scan({
    roots,
    currentDirectory: '/nowhere',
    maxDepth: 6,
    keyPlaces: [],
    ignore: [],
    ...changes,
  });
  const shown = [
    renderScan(report, { columns: 100, color: true, verbose: true }),
    renderScan(report, { columns: 100, color: false }),
    inspect(report, { depth: 9, maxArrayLength: 1000 }),
  ].join('\n');
  keepTranscript(`scan ${roots.join(' ')}`, shown);
  return { ...report, shown };
}

/** Paths below a root and their verdicts. */
export function verdictsOf(report: ScanReport, root: string): Record<string, string> {
  return Object.fromEntries(
    report.directories.map(({ path, verdict }) => [path.slice(root.length + 1), verdict]),
  );
}
