/** Values without their text: what a template would see of them. */
import type { YamlValue } from './yaml-value.ts';

/** Plain values; what an alias names stands at each of its places, and is one object. */
export type Values = ValuesMap | readonly Values[] | string | number | boolean | null;
export type ValuesMap = ReadonlyMap<string, Values>;

/** What a YAML value says; dates and bytes as text. */
export function toPlain(value: YamlValue, known = new Map<YamlValue, Values>()): Values {
  const made = known.get(value);
  if (made !== undefined) return made;
  const plain = makePlain(value, known);
  known.set(value, plain);
  return plain;
}

function makePlain(value: YamlValue, known: Map<YamlValue, Values>): Values {
  if (value.kind === 'map') {
    return new Map([...value.entries].map(([key, entry]) => [key, toPlain(entry.value, known)]));
  }
  if (value.kind === 'list') return value.items.map(item => toPlain(item.value, known));
  const scalar = value.value;
  const isPlain =
    scalar === null || typeof scalar === 'string' || typeof scalar === 'number' || typeof scalar === 'boolean';
  return isPlain ? scalar : scalar instanceof Date ? `${scalar.getTime()}` : JSON.stringify(scalar);
}

/** The value at a path; items of lists are named by their numbers. Undefined where there is none. */
export function valueAt(values: Values, path: readonly string[]): Values | undefined {
  let at: Values | undefined = values;
  for (const key of path) {
    if (at instanceof Map) at = (at as ValuesMap).get(key);
    else if (Array.isArray(at) && /^\d+$/.test(key)) at = (at as readonly Values[])[Number(key)];
    else return undefined;
  }
  return at;
}

/** The same as JSON has it. */
export function toJson(values: Values): unknown {
  if (values instanceof Map) {
    return Object.fromEntries([...(values as ValuesMap)].map(([key, value]) => [key, toJson(value)]));
  }
  return Array.isArray(values) ? (values as readonly Values[]).map(toJson) : values;
}
