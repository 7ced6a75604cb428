/** The product's side of packaging: a chart's folder read, packed and written, by a process that did nothing yet. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packChart } from '../../core/helm/pack-chart.ts';
import { readChart } from '../../core/helm/read-chart.ts';
import { openChartFolder } from '../../tasks/agent/chart-folder.ts';

/** What to package, and the folder for the archive. */
export interface PackageOrder {
  readonly chart: string;
  readonly output: string;
}

/** What it took. */
export interface PackageResult {
  /** From the folder on to the file, without the start of the process. */
  readonly seconds: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Packages, in this process. */
export async function packageHere({ chart, output }: PackageOrder): Promise<PackageResult> {
  const started = performance.now();
  const packed = await packChart(await readChart(await openChartFolder(chart, 'the chart')));
  await writeFile(join(output, packed.fileName), packed.bytes);
  return { seconds: (performance.now() - started) / 1000, bytes: packed.bytes.length, sha256: packed.sha256 };
}
