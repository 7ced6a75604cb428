/** Packs the chart in a folder, in a process of its own; prints the version of Node and the archive's digest. */
import { packChart } from '../../../core/helm/pack-chart.ts';
import { readChart } from '../../../core/helm/read-chart.ts';
import { openChartFolder } from '../../../tasks/agent/chart-folder.ts';

const { sha256 } = await packChart(await readChart(await openChartFolder(process.argv[2] ?? '', 'the chart')));
process.stdout.write(`${process.version} ${sha256}\n`);
