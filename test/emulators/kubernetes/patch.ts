/** Patches, as far as helm and kubectl send them. https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply */
import { parse } from 'yaml';

type Json = Record<string, unknown>;

/**
 * The object that a patch makes of another. Lists of things with names are merged by them, as strategic patches and
 * server-side apply do; a real server looks up which lists those are.
 */
export function patchObject(object: object, body: unknown, contentType: string): Json {
  const patch = (typeof body === 'string' ? parse(body) : body) as Json;
  const mergesLists = !contentType.startsWith('application/merge-patch');
  return mergeMaps(object as Json, patch, mergesLists);
}

function mergeMaps(below: Json, above: Json, mergesLists: boolean): Json {
  const merged: Json = { ...below };
  if (above['$patch'] === 'replace') return withoutSigns(above);
  for (const [key, value] of Object.entries(above)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete merged[key];
    else merged[key] = mergeValues(merged[key], value, mergesLists);
  }
  return merged;
}

function mergeValues(below: unknown, above: unknown, mergesLists: boolean): unknown {
  if (isMap(above)) return mergeMaps(isMap(below) ? below : {}, above, mergesLists);
  if (!Array.isArray(above) || !Array.isArray(below) || !mergesLists || !above.every(isNamed)) return above;
  const known = new Map(below.filter(isNamed).map(each => [each['name'], each]));
  const deleted = new Set(above.filter(each => each['$patch'] === 'delete').map(each => each['name']));
  for (const each of above) known.set(each['name'], mergeMaps(known.get(each['name']) ?? {}, each, mergesLists));
  return [...known].filter(([name]) => !deleted.has(name)).map(([, each]) => each);
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamed(value: unknown): value is Json {
  return isMap(value) && typeof value['name'] === 'string';
}

function withoutSigns(map: Json): Json {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !key.startsWith('$')));
}
