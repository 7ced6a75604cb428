/** A chart as helm sees it: what `helm package` would keep of a folder or an archive, and nothing else. */
import type { ChartMetadata } from './metadata.ts';

/** One file; its path is relative to its own chart, joined with `/`. */
export interface ChartFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A chart with the charts that are vendored in it. */
export interface Chart {
  /** Where it came from, for messages: the folder as the user named it; of a subchart with `charts/…` behind it. */
  readonly label: string;
  /** What its `Chart.yaml` says, as it was read. */
  readonly metadata: ChartMetadata;
  /** Its own files, `Chart.yaml` first; none of a subchart's, whichever form that was vendored in. */
  readonly files: readonly ChartFile[];
  readonly subcharts: readonly Chart[];
}

/** The text of one of its own files, without a byte order mark; undefined where there is none. */
export function readText(chart: Chart, path: string): string | undefined {
  const file = chart.files.find(each => each.path === path);
  return file && new TextDecoder().decode(file.bytes);
}

/** The chart with one of its own files replaced, or added where there was none. */
export function withFile(chart: Chart, path: string, text: string): Chart {
  const file = { path, bytes: new TextEncoder().encode(text) };
  const files = chart.files.some(each => each.path === path)
    ? chart.files.map(each => (each.path === path ? file : each))
    : [...chart.files, file];
  return { ...chart, files };
}
