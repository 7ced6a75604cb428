/** The order of a chart's files, which no language setting and no disk changes. Pure. */
import type { ChartFile } from './chart.ts';

/** `Chart.yaml` first, then by the bytes of the path. */
export function sortFiles(files: readonly ChartFile[]): ChartFile[] {
  return files.toSorted((one, other) => rank(one) - rank(other) || compareBytes(one.path, other.path));
}

function rank({ path }: ChartFile): number {
  return path === 'Chart.yaml' ? 0 : 1;
}

/** Below zero where `one` comes before `other` by their bytes in UTF-8. */
export function compareBytes(one: string, other: string): number {
  // Code points are in the order of their bytes; the units that strings are compared by are not.
  const [left, right] = [one[Symbol.iterator](), other[Symbol.iterator]()];
  for (;;) {
    const [a, b] = [left.next(), right.next()];
    if (a.done || b.done) return Number(b.done ?? false) - Number(a.done ?? false);
    if (a.value !== b.value) return (a.value.codePointAt(0) ?? 0) - (b.value.codePointAt(0) ?? 0);
  }
}
