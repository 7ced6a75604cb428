/** What a chart declares and does not carry. Pure. https://helm.sh/docs/topics/charts/#chart-dependencies */
import type { Chart } from './chart.ts';

/** The names of the declared dependencies for which no chart is vendored, in their order, as helm looks for them: by name alone. */
export function findMissingDependencies(chart: Chart): string[] {
  const vendored = new Set(chart.subcharts.map(each => each.metadata.name));
  const declared = (chart.metadata.dependencies ?? []).map(each => each.name);
  return [...new Set(declared)].filter(name => !vendored.has(name));
}
