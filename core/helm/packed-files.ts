/** What of a chart goes into its archive, and in which order. Pure. */
import { inputError } from '../base/errors.ts';
import type { Chart, ChartFile } from './chart.ts';
import { sortFiles } from './file-order.ts';

/**
 * Every file of the chart and of the charts in it, each at its path from the chart's top: `Chart.yaml` first, then by the
 * bytes of the path. A subchart stands in `charts/` under its own name, whatever its folder or archive was called, as
 * helm puts it. Throws `INPUT_INVALID` for a path that two files have.
 */
export function listPackedFiles(chart: Chart): ChartFile[] {
  const files = [...walk(chart, '')];
  const taken = new Set<string>();
  for (const { path } of files) {
    if (taken.has(path))
      throw inputError(`${chart.label}: two files would be at "${path}" in the archive. Rename one.`);
    taken.add(path);
  }
  return sortFiles(files);
}

function* walk(chart: Chart, prefix: string): Generator<ChartFile> {
  for (const { path, bytes } of chart.files) yield { path: `${prefix}${path}`, bytes };
  for (const each of chart.subcharts) yield* walk(each, `${prefix}charts/${each.metadata.name}/`);
}
