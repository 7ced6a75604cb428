/** Pieces of the pages that tasks show on a build. */
import { neutralise } from './output.ts';

/** One row of a table. */
export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A table: its head, one alignment for each column (`left` or `right`), its rows. */
export function table(
  head: readonly string[],
  alignments: readonly ('left' | 'right')[],
  rows: readonly string[],
): string {
  return [row(head), row(alignments.map(each => (each === 'right' ? '---:' : '---'))), ...rows].join('\n');
}

/** A backtick or a bar would end the span or the cell; what is left without them must still be no command. */
export function code(text: string): string {
  return `\`${neutralise(text.replace(/[`|\r\n]/g, ''))}\``;
}

/** The beginning of a digest, for a table whose reader compares and does not copy. */
export function shortDigest(digest: string): string {
  return code(`${digest.slice(0, 'sha256:'.length + 12)}…`);
}

/** Bytes for people, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${power === 0 ? Math.round(bytes) : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** `1 blob`, `2 blobs`. */
export function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
