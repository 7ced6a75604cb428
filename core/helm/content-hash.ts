/** A short name for what is in a chart. Pure. */
import { createHash } from 'node:crypto';
import type { Chart } from './chart.ts';
import { listPackedFiles } from './packed-files.ts';

/** Ten hexadecimal digits that paths and bytes of everything packed make: who stamps a version asks before. */
export function hashContent(chart: Chart): string {
  const hash = createHash('sha256');
  for (const { path, bytes } of listPackedFiles(chart)) {
    // With the sizes in front, no two lists of files are one sequence of bytes.
    hash.update(`${new TextEncoder().encode(path).length} ${bytes.length} ${path}`).update(bytes);
  }
  return hash.digest('hex').slice(0, 10);
}
