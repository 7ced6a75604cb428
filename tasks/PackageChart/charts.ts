/** The charts of the step, read whole from their folders, with their dependencies. */
import { resolve } from 'node:path';
import { inputError, withContext } from '../../core/base/errors.ts';
import type { Chart } from '../../core/helm/chart.ts';
import { findMissingDependencies } from '../../core/helm/missing-dependencies.ts';
import { readChart } from '../../core/helm/read-chart.ts';
import { openChartFolder } from '../agent/chart-folder.ts';
import { agentLog } from '../agent/log.ts';
import { readVariable } from '../agent/variables.ts';
import { withDependencies } from './dependencies.ts';
import type { HelmChoice } from './helm-choice.ts';

/** Reads the folders, in their order. Throws `INPUT_INVALID` or `TOO_LARGE`, naming the folder. */
export async function readCharts(folders: readonly string[], helm: HelmChoice): Promise<Chart[]> {
  const charts: Chart[] = [];
  for (const folder of folders) {
    try {
      charts.push(await readWithDependencies(folder, helm));
    } catch (cause) {
      throw withContext('The input charts', cause);
    }
  }
  const names = charts.map(({ metadata }) => metadata.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return charts;
  throw inputError(`The input charts names two charts called "${twice}". Package each in a step of its own.`);
}

async function readWithDependencies(folder: string, helm: HelmChoice): Promise<Chart> {
  const path = resolve(readVariable('System.DefaultWorkingDirectory') ?? '', folder);
  const read = async (): Promise<Chart> => readChart(await openChartFolder(path, folder));
  const chart = await read();
  const missing = findMissingDependencies(chart);
  if (missing.length === 0) return chart;
  if (!helm.helm) {
    throw inputError(
      `"${folder}" declares dependencies that are not in its charts folder: ${missing.join(', ')}; and ${helm.reason}. Run helm dependency build before this step, or have helm on the agent.`,
    );
  }
  agentLog.info(
    `${folder} declares ${missing.join(', ')}, which it does not hold. Running helm dependency build in it.`,
  );
  const built = await withDependencies(helm.helm, path, read);
  const left = findMissingDependencies(built);
  if (left.length === 0) return built;
  throw inputError(
    `"${folder}" still lacks ${left.join(', ')} after helm dependency build. Does a .helmignore keep them out?`,
  );
}
