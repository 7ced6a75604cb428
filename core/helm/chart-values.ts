/** The values of a chart and its subcharts, put together as helm does. https://helm.sh/docs/chart_template_guide/subcharts_and_globals/ */
import { inputError } from '../base/errors.ts';
import type { Chart } from './chart.ts';
import { toPlain, type Values, type ValuesMap } from './values.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';
import { findYaml, type YamlValue } from './yaml-value.ts';

/** A chart as its parent uses it: under its name, or once under each of its aliases. */
export interface ChartInstance {
  readonly chart: Chart;
  /** Under which its parent has its values; none of the chart itself. */
  readonly name: string;
  /** Of its `values.yaml`, from the root of the whole chart. */
  readonly file: string;
  /** Undefined where it has no `values.yaml`. */
  readonly yaml: YamlText | undefined;
  readonly subcharts: readonly ChartInstance[];
  /** What its parent may turn it off by, as its `Chart.yaml` has it. */
  readonly condition: string | undefined;
  readonly tags: readonly string[];
}

/** Reads the values of the chart and of each chart in it. Throws what `parseYaml` throws, and for values that are no map. */
export function readInstances(chart: Chart): ChartInstance {
  const read = new Map<Chart, YamlText | undefined>();
  const instantiate = ({ chart, ...use }: ChartUse, folder: string): ChartInstance => {
    const file = `${folder}values.yaml`;
    if (!read.has(chart)) read.set(chart, readValues(chart, file));
    const subcharts = usesOf(chart).map(each => instantiate(each, `${folder}charts/${each.chart.metadata.name}/`));
    return { ...use, chart, file, yaml: read.get(chart), subcharts };
  };
  return instantiate({ chart, name: '', condition: undefined, tags: [] }, '');
}

type ChartUse = Pick<ChartInstance, 'chart' | 'name' | 'condition' | 'tags'>;

function readValues(chart: Chart, file: string): YamlText | undefined {
  const found = chart.files.find(each => each.path === 'values.yaml');
  if (!found) return undefined;
  const yaml = parseYaml(decode(found.bytes, file), file);
  if (yaml.root && yaml.root.kind !== 'map' && !(yaml.root.kind === 'scalar' && yaml.root.value === null)) {
    throw inputError(`${file} of ${chart.label} is not a map of values. Mend it.`);
  }
  return yaml;
}

/** The text of a file that is to be edited: in UTF-8, for what is not would not be what it was. A byte order mark stays. */
export function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw inputError(`${name} is not text in UTF-8. Save it as that.`, cause);
  }
}

/** How a chart uses its subcharts. One that `Chart.yaml` does not name is there under its own name, as helm has it. */
function usesOf(chart: Chart): readonly ChartUse[] {
  const dependencies = chart.metadata.dependencies ?? [];
  const named = dependencies.flatMap(({ name, version, alias, condition, tags }) => {
    const ofName = chart.subcharts.filter(sub => sub.metadata.name === name);
    const sub = ofName.find(({ metadata }) => metadata.version === version) ?? ofName[0];
    return sub ? [{ chart: sub, name: alias || name, condition, tags: tags ?? [] }] : [];
  });
  const others = chart.subcharts.filter(sub => !dependencies.some(({ name }) => name === sub.metadata.name));
  return [...named, ...others.map(sub => ({ chart: sub, name: sub.metadata.name, condition: undefined, tags: [] }))];
}

/** The values that a chart's templates see of it and its subcharts, but for the globals that it hands down to them. */
export function mergeValues(instance: ChartInstance): ValuesMap {
  const own = instance.yaml?.root ? toPlain(instance.yaml.root) : null;
  const values = new Map(own instanceof Map ? (own as ValuesMap) : []);
  for (const sub of instance.subcharts) {
    const above = values.get(sub.name) ?? new Map<string, Values>();
    if (above instanceof Map) values.set(sub.name, coalesce(above as ValuesMap, mergeValues(sub)));
  }
  return values;
}

/** What stands above wins; a null above takes a value away. */
export function coalesce(above: ValuesMap, below: ValuesMap): ValuesMap {
  const values = new Map(above);
  for (const [key, value] of below) {
    const winner = above.get(key);
    if (winner === undefined) values.set(key, value);
    else if (winner === null) values.delete(key);
    else if (winner instanceof Map && value instanceof Map)
      values.set(key, coalesce(winner as ValuesMap, value as ValuesMap));
  }
  return values;
}

/** A chart's own values, and a path in them. */
export interface Layer {
  readonly instance: ChartInstance;
  readonly path: readonly string[];
}

/** Every chart that can say something at a path of the whole chart's values, the one that wins first. */
export function layersAt(root: ChartInstance, path: readonly string[]): readonly Layer[] {
  const sub = root.subcharts.find(each => each.name === path[0]);
  return [{ instance: root, path }, ...(sub && path.length > 1 ? layersAt(sub, path.slice(1)) : [])];
}

/** What a chart itself says at a path, and the line of it; undefined where it says nothing. */
export function ownValueAt({
  instance,
  path,
}: Layer): { readonly value: YamlValue; readonly line: number } | undefined {
  const { yaml } = instance;
  const found = yaml?.root && findYaml(yaml.root, path);
  return yaml && found?.isWhole ? { value: found.value, line: yaml.lineAt(found.offset) } : undefined;
}
