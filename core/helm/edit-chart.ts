/** Sets values of a whole chart, each in the file that has the last word about it. */
import { inputError } from '../base/errors.ts';
import type { Chart } from './chart.ts';
import {
  type ChartInstance,
  decode,
  type Layer,
  layersAt,
  mergeValues,
  ownValueAt,
  readInstances,
} from './chart-values.ts';
import { setValues, type YamlEdit } from './edit-yaml.ts';
import type { ImagePlace } from './image-places.ts';
import { formatPath } from './mapping.ts';
import type { ValueChange } from './pin-images.ts';
import { findStray } from './stray.ts';
import type { ValuesMap } from './values.ts';

/** What to set for one place. */
export interface PlaceEdits {
  readonly place: ImagePlace;
  /** With paths of the whole chart's values. */
  readonly edits: readonly YamlEdit[];
}

/**
 * Sets the values, of the chart that `root` and `values` were read from. What its templates see is compared: throws
 * `INPUT_INVALID` where anything else would change, as with a subchart that is used twice.
 */
export function editChart(
  root: ChartInstance,
  values: ValuesMap,
  places: readonly PlaceEdits[],
): { readonly chart: Chart; readonly changes: readonly ValueChange[] } {
  const byFile = new Map<string, { chart: Chart; edits: YamlEdit[] }>();
  for (const { place, edits } of places) {
    const { instance, path } = layerOf(root, place);
    const file = byFile.get(instance.file) ?? { chart: instance.chart, edits: [] };
    byFile.set(instance.file, file);
    const prefix = place.path.length - path.length;
    file.edits.push(...edits.map(edit => ({ ...edit, path: edit.path.slice(prefix) })));
  }
  const changes: ValueChange[] = [];
  const replaced = new Map<Chart, Chart>();
  for (const [file, { chart, edits }] of byFile) {
    const found = chart.files.find(each => each.path === 'values.yaml');
    const edited = setValues(found ? decode(found.bytes, file) : '', edits, file);
    changes.push(...edited.changes.map(change => ({ file, ...change })));
    if (edited.changes.length > 0) replaced.set(chart, withValues(chart, edited.text));
  }
  const chart = replaceCharts(root.chart, replaced);
  const wanted = places.flatMap(({ edits }) => edits);
  const stray = findStray(values, mergeValues(readInstances(chart)), wanted);
  if (!stray) return { chart, changes };
  throw inputError(
    `Pinning ${formatPath(wanted[0]?.path ?? [])} would change ${formatPath(stray)} as well, or not be seen: a subchart that is used under two names has one values.yaml. Set the image of each in the values of the chart above it.`,
  );
}

function withValues(chart: Chart, text: string): Chart {
  const bytes = new TextEncoder().encode(text);
  const files = chart.files.map(each => (each.path === 'values.yaml' ? { ...each, bytes } : each));
  return { ...chart, files };
}

function replaceCharts(chart: Chart, replaced: ReadonlyMap<Chart, Chart>): Chart {
  const subcharts = chart.subcharts.map(sub => replaceCharts(sub, replaced));
  const isSame = subcharts.every((sub, at) => sub === chart.subcharts[at]);
  const own = replaced.get(chart) ?? chart;
  return isSame ? own : { ...own, subcharts };
}

/** The chart that has the last word: the outermost one that says anything of the image. */
function layerOf(root: ChartInstance, place: ImagePlace): Layer {
  const layers = layersAt(root, place.path);
  const keys = place.form === 'map' ? [place.repositoryKey, 'registry', 'tag', 'digest'] : undefined;
  const says = ({ instance, path }: Layer): boolean =>
    keys
      ? keys.some(key => ownValueAt({ instance, path: [...path, key] }) !== undefined)
      : ownValueAt({ instance, path }) !== undefined;
  return layers.find(says) ?? (layers.at(-1) as Layer);
}

/** The file that has the last word about a path, and the line there. */
export function locate(root: ChartInstance, path: readonly string[]): { readonly file: string; readonly line: number } {
  for (const layer of layersAt(root, path)) {
    const found = ownValueAt(layer);
    if (found) return { file: layer.instance.file, line: found.line };
  }
  return { file: root.file, line: 1 };
}
