/** What is written at a place to pin an image there, and what a stage writes over it. */
import { inputError } from '../base/errors.ts';
import type { YamlEdit } from './edit-yaml.ts';
import type { ImagePlace } from './image-places.ts';
import { formatPath } from './mapping.ts';
import type { BuildImage, Pin, PinMode } from './pin-images.ts';
import { type ValuesMap, valueAt } from './values.ts';

/**
 * The values that pin `image` at a place. A tag with the digest behind it pins every chart that writes
 * `repository:tag`; a chart that has a key for the digest puts it there itself.
 * Throws `INPUT_INVALID` for a place that cannot hold what the mode wants.
 */
export function editsOf(place: ImagePlace, image: BuildImage, mode: PinMode, values: ValuesMap): readonly YamlEdit[] {
  const { path, form } = place;
  const both = `${image.tag}@${image.digest}`;
  if (form === 'map') return editsOfMap(place, image, mode, values);
  if (form === 'whole') {
    const named = `${place.host === undefined ? '' : `${place.host}/`}${place.repository}`;
    const value = {
      tagAndDigest: `${named}:${both}`,
      digest: `${named}@${image.digest}`,
      tag: `${named}:${image.tag}`,
    };
    return [{ path, value: value[mode] }];
  }
  if (form === 'digest' && mode !== 'tag') return [{ path, value: image.digest }];
  if (form === 'tag' && mode !== 'digest') return [{ path, value: mode === 'tag' ? image.tag : both }];
  throw inputError(
    `The value "${formatPath(path)}" is a ${form} alone and cannot be pinned by a ${mode}. Map what holds the whole image, or choose another pin.`,
  );
}

function editsOfMap(place: ImagePlace, image: BuildImage, mode: PinMode, values: ValuesMap): readonly YamlEdit[] {
  const tag = (value: string): YamlEdit => ({ path: [...place.path, 'tag'], value });
  const digest = (value: string): YamlEdit => ({ path: [...place.path, 'digest'], value });
  const hasValue = ![undefined, null, ''].includes(
    valueAt(values, [...place.path, 'digest']) as string | null | undefined,
  );
  switch (mode) {
    case 'tagAndDigest':
      return place.hasDigest ? [tag(image.tag), digest(image.digest)] : [tag(`${image.tag}@${image.digest}`)];
    case 'digest':
      return [digest(image.digest)];
    case 'tag':
      return hasValue ? [tag(image.tag), digest('')] : [tag(image.tag)];
    default:
      return mode satisfies never;
  }
}

/**
 * The pins of a place: one, and a second where the chart has one registry for all its images, which a stage must then
 * set beside the image's own. A place in a list has no value that a stage could set: helm replaces a list whole.
 */
export function pinsOf(place: ImagePlace, image: BuildImage, mode: PinMode): readonly Pin[] {
  const { path } = place;
  const name = place.form === 'tag' ? image.tag : `${image.repository}:${image.tag}`;
  const { repository, digest } = image;
  const pin = { repository, digest, host: place.host, path, values: {}, shows: [mode === 'tag' ? name : digest] };
  if (!place.isReachable) return [pin];
  if (place.form === 'whole') return [{ ...pin, values: { image: path } }];
  if (place.form !== 'map') return [pin];
  const ofRepository = [...path, place.repositoryKey];
  const ofRegistry = place.hasRegistry ? [...path, 'registry'] : undefined;
  const general = place.isUnderGlobal ? ['global', 'imageRegistry'] : undefined;
  const registry = ofRegistry ?? general;
  const own = { ...pin, values: registry ? { registry, repository: ofRepository } : { repository: ofRepository } };
  return ofRegistry && general ? [own, { ...pin, values: { registry: general } }] : [own];
}
