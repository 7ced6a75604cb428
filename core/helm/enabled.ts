/** Which subcharts a chart's values turn off. https://helm.sh/docs/topics/charts/#tags-and-condition-fields-in-dependencies */
import type { ChartInstance } from './chart-values.ts';
import { type ValuesMap, valueAt } from './values.ts';

/**
 * Whether a subchart is used. `above` are the values of the chart that names it, and `root` those of the whole chart:
 * the first condition that is true or false decides, and else whether one of its tags is on.
 */
export function isEnabled({ condition, tags }: ChartInstance, above: ValuesMap, root: ValuesMap): boolean {
  for (const path of condition?.split(',') ?? []) {
    const value = valueAt(above, path.trim().split('.'));
    if (typeof value === 'boolean') return value;
  }
  const flags = tags.map(tag => valueAt(root, ['tags', tag])).filter(flag => typeof flag === 'boolean');
  return flags.length === 0 || flags.includes(true);
}
