/** The place that a mapping leads to. */
import { inputError } from '../base/errors.ts';
import { type ImageName, splitImageName } from './image-name.ts';
import { type At, type ImagePlace, readMap } from './image-places.ts';
import { formatMapping, formatPath, type ImageMapping } from './mapping.ts';
import { type Values, type ValuesMap, valueAt } from './values.ts';

/**
 * Finds the place: a map with a repository, a text that is the whole image, or a value that is its tag or its digest
 * alone. Throws `INPUT_INVALID` for a path that leads to none of these.
 */
export function findMappedPlace(values: ValuesMap, mapping: ImageMapping): ImagePlace {
  const { path } = mapping;
  const value = valueAt(values, path);
  const isReachable = path.every((_, length) => !Array.isArray(valueAt(values, path.slice(0, length))));
  const at = { root: values, path, isReachable };
  if (value === undefined) throw refuse(mapping, 'leads nowhere: the values of the chart have nothing there');
  if (Array.isArray(value)) throw refuse(mapping, `leads to a list. Say which item: ${formatPath(path)}.0`);
  if (!(value instanceof Map)) return readValue(value, at);
  const place = readMap(value as ValuesMap, at);
  if (!place)
    throw refuse(
      mapping,
      `leads to a map that names no repository. Map the value that is the tag, as ${formatPath([...path, 'tag'])}`,
    );
  const named = splitImageName((value as ValuesMap).get(place.repositoryKey) as string);
  if (named?.tag !== undefined || named?.digest !== undefined) {
    throw refuse(
      mapping,
      `leads to a map whose ${place.repositoryKey} holds a tag or a digest. Map that: ${formatPath([...path, place.repositoryKey])}`,
    );
  }
  return { ...place, form: 'map' };
}

function readValue(value: Values, { path, isReachable }: At): ImagePlace {
  const name = typeof value === 'string' ? splitImageName(value) : undefined;
  const form = formOf(path.at(-1) ?? '', name);
  return {
    path,
    form,
    image: String((value as string | number | boolean | null) ?? ''),
    host: form === 'whole' ? name?.host : undefined,
    repository: form === 'whole' ? (name?.repository ?? '') : '',
    repositoryKey: 'repository',
    hasRegistry: false,
    hasDigest: false,
    isUnderGlobal: false,
    isReachable,
  };
}

/** The key says what a value is; where it does not, an image has a host or a slash, and a tag has neither. */
function formOf(key: string, name: ImageName | undefined): 'whole' | 'tag' | 'digest' {
  if (/digest$/i.test(key)) return 'digest';
  if (/tag$/i.test(key) || !name) return 'tag';
  return name.host !== undefined || name.repository.includes('/') || /image$/i.test(key) ? 'whole' : 'tag';
}

function refuse(mapping: ImageMapping, why: string): Error {
  return inputError(`The mapping "${formatMapping(mapping)}" ${why}.`);
}
