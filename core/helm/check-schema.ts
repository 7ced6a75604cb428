/** Holds a chart's own values against its `values.schema.json`, which helm does when it installs, and packaging does not. */
import { inputError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { Chart } from './chart.ts';
import { type ChartInstance, coalesce, mergeValues, readInstances } from './chart-values.ts';
import { isEnabled } from './enabled.ts';
import { formatPath } from './mapping.ts';
import type { Pin } from './pin-images.ts';
import { compileSchema } from './schema-dialect.ts';
import { toJson, type Values, type ValuesMap, valueAt } from './values.ts';

const schemaName = 'values.schema.json';
const maxShown = 10;

/** A value that its schema refuses. */
interface Fault {
  /** In the values of the whole chart. */
  readonly path: readonly string[];
  readonly reason: string;
}

/**
 * Checks the chart, and the subcharts that its values leave on. Gives a sentence for each schema that cannot be judged
 * here, for a warning. Throws `INPUT_INVALID` for values that their schema refuses, and for a schema that is not JSON.
 * No message holds a value.
 */
export function checkSchema(chart: Chart, pins: readonly Pin[]): readonly string[] {
  const root = readInstances(chart);
  const values = mergeValues(root);
  const unchecked: string[] = [];
  const visit = (instance: ChartInstance, own: ValuesMap, path: readonly string[]): void => {
    checkOne(instance, own, { path, pins, unchecked });
    for (const sub of instance.subcharts) {
      const below = own.get(sub.name);
      if (!(below instanceof Map) || !isEnabled(sub, own, values)) continue;
      visit(sub, withGlobals(below as ValuesMap, own), [...path, sub.name]);
    }
  };
  visit(root, values, []);
  return unchecked;
}

/** A chart hands its globals down, and they win. */
function withGlobals(values: ValuesMap, above: ValuesMap): ValuesMap {
  const handed = above.get('global') ?? new Map<string, Values>();
  const own = values.get('global') ?? new Map<string, Values>();
  if (!(handed instanceof Map) || !(own instanceof Map)) return values;
  return new Map(values).set('global', coalesce(handed as ValuesMap, own as ValuesMap));
}

interface Check {
  readonly path: readonly string[];
  readonly pins: readonly Pin[];
  readonly unchecked: string[];
}

function checkOne(instance: ChartInstance, values: ValuesMap, { path, pins, unchecked }: Check): void {
  const file = instance.file.replace(/values\.yaml$/, schemaName);
  const found = instance.chart.files.find(each => each.path === schemaName);
  if (!found) return;
  const schema = parseJson(new TextDecoder().decode(found.bytes));
  if ((typeof schema !== 'object' && typeof schema !== 'boolean') || schema === null) {
    throw inputError(
      `${file} is not a schema: it is not JSON, or not an object. Mend it, for helm will not install the chart.`,
    );
  }
  const judge = compileSchema(schema);
  if (typeof judge === 'string') {
    unchecked.push(`${file} was not checked: ${judge}.`);
    return;
  }
  if (judge(toJson(values))) return;
  const faults = (judge.errors ?? []).map(({ instancePath, message }) => ({
    path: instancePath
      .split('/')
      .slice(1)
      .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~')),
    reason: message ?? 'is refused',
  }));
  // Whether helm shows a null to the schema depends on its version.
  const certain = faults.filter(fault => valueAt(values, fault.path) !== null);
  if (certain.length > 0)
    throw refuse(
      file,
      certain.map(fault => ({ ...fault, path: [...path, ...fault.path] })),
      pins,
    );
}

function refuse(file: string, faults: readonly Fault[], pins: readonly Pin[]): Error {
  const shown = faults
    .slice(0, maxShown)
    .map(({ path, reason }) => `${path.length > 0 ? `"${formatPath(path)}"` : 'the whole'} ${reason}`);
  const more = faults.length > maxShown ? `; and ${faults.length - maxShown} more` : '';
  const isOfPin = faults.some(({ path }) => pins.some(pin => isAt(path, pin.path)));
  const hint = isOfPin
    ? 'An image is pinned there: choose another pin (pin: digest leaves the tag alone, pin: tag writes no digest), or let the schema take it.'
    : 'Helm will not install the chart with them: mend the values or the schema.';
  return inputError(`${file} refuses the values of the chart: ${shown.join('; ')}${more}. ${hint}`);
}

function isAt(path: readonly string[], pinned: readonly string[]): boolean {
  return pinned.length <= path.length && pinned.every((key, depth) => key === path[depth]);
}
