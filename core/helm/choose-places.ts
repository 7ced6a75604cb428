/** Which image of the build goes to which place of a chart's values. */
import { inputError } from '../base/errors.ts';
import { findImagePlaces, type ImagePlace } from './image-places.ts';
import { findMappedPlace } from './mapped-place.ts';
import { formatMapping, formatPath, type ImageMapping } from './mapping.ts';
import type { BuildImage, PinRequest } from './pin-images.ts';
import { type ValuesMap, valueAt } from './values.ts';

/** An image and its place. */
export interface ChosenPlace {
  readonly place: ImagePlace;
  readonly image: BuildImage;
}

/**
 * Chooses by mapping, and else by repository where the host is absent or the build's own. `others` are the places that
 * are left. Throws `INPUT_INVALID` for a mapping that fits nothing or another one, and where two images fit one place.
 */
export function choosePlaces(
  values: ValuesMap,
  request: PinRequest,
): { readonly chosen: readonly ChosenPlace[]; readonly others: readonly ImagePlace[] } {
  const images = request.images.filter((image, at, all) => all.findIndex(each => isSameImage(each, image)) === at);
  const mapped = request.mapping.map(mapping => ({
    place: findMappedPlace(values, mapping),
    image: findMappedImage(images, mapping),
  }));
  checkMappings(request.mapping);
  const chosen: ChosenPlace[] = [...mapped];
  const others: ImagePlace[] = [];
  for (const place of findImagePlaces(values)) {
    if (mapped.some(each => isWithin(each.place.path, place.path) || isWithin(place.path, each.place.path))) continue;
    if (isShadowed(values, place.path)) continue;
    const isOwn = place.host === undefined || request.isOwnRegistry(place.host);
    const fitting = images.filter(image => image.repository === place.repository);
    if (place.form === 'unclear' || !isOwn || fitting.length === 0) others.push(place);
    else chosen.push({ place, image: theOne(fitting, place) });
  }
  return { chosen, others };
}

/** Whether both are the same bytes in the same repository. */
export function isSameImage(one: BuildImage, other: BuildImage): boolean {
  return one.repository === other.repository && one.digest === other.digest;
}

/** The globals of the whole chart win over those of a subchart, so these are seen by nobody. */
function isShadowed(values: ValuesMap, path: readonly string[]): boolean {
  const at = path.indexOf('global');
  return at > 0 && valueAt(values, path.slice(at)) !== undefined;
}

function isWithin(path: readonly string[], above: readonly string[]): boolean {
  return above.length <= path.length && above.every((key, depth) => key === path[depth]);
}

function theOne([image, ...more]: readonly BuildImage[], { path, image: named }: ImagePlace): BuildImage {
  if (image && more.length === 0) return image;
  const candidates = [image, ...more].map(each =>
    formatMapping({ path, repository: `${each?.repository}@${each?.digest}` }),
  );
  throw inputError(
    `The value "${formatPath(path)}" names ${named}, and the build has ${candidates.length} images of that repository. Say which by one of the mappings ${candidates.join(', ')}.`,
  );
}

function findMappedImage(images: readonly BuildImage[], mapping: ImageMapping): BuildImage {
  const fitting = images.filter(({ repository, digest }) =>
    [repository, `${repository}@${digest}`].includes(mapping.repository),
  );
  const [image, ...more] = fitting;
  if (image && more.length === 0) return image;
  const listed = (image ? fitting : images).map(({ repository, digest }) => `${repository}@${digest}`).join(', ');
  throw inputError(
    image
      ? `The mapping "${formatMapping(mapping)}" could mean ${listed}. Write the one that is meant with its digest.`
      : `The mapping "${formatMapping(mapping)}" names no image of this build. It has ${listed || 'none'}.`,
  );
}

/** Two mappings of one place, or one within the other, cannot both be meant. */
function checkMappings(mappings: readonly ImageMapping[]): void {
  for (const [at, mapping] of mappings.entries()) {
    const other = mappings
      .slice(0, at)
      .find(({ path }) => isWithin(path, mapping.path) || isWithin(mapping.path, path));
    if (!other) continue;
    throw inputError(
      `The mappings "${formatMapping(other)}" and "${formatMapping(mapping)}" are for the same place. Keep the one that is meant.`,
    );
  }
}
