/** Holds a chart's own values against its `values.schema.json`, which helm does when it installs, and packaging does not. */
import type { Chart } from './chart.ts';
import type { Pin } from './pin-images.ts';

/**
 * Checks the chart and its subcharts. Gives a sentence for each schema that cannot be judged here, for a warning.
 * Throws `INPUT_INVALID` for values that their schema refuses, and for a schema that is not JSON.
 */
export function checkSchema(_chart: Chart, _pins: readonly Pin[]): readonly string[] {
  throw new Error('not yet');
}
