/** Where the values of a chart name images, by the shapes that charts have. */
import { type ImageName, splitImageName } from './image-name.ts';
import { type Values, type ValuesMap, valueAt } from './values.ts';

/** One image in the values. */
export interface ImagePlace {
  /** Keys from the root; of the map, or of the text that is the whole image. */
  readonly path: readonly string[];
  /**
   * `map` has the image in parts, `whole` in one text, and `tag` is the tag alone, to which a mapping has led.
   * `unclear` looks like an image, but how it would be pinned cannot be told.
   */
  readonly form: 'map' | 'whole' | 'tag' | 'digest' | 'unclear';
  /** As the values name it, for messages. */
  readonly image: string;
  readonly host: string | undefined;
  /** Without its host. */
  readonly repository: string;
  /** The part that names the repository; of a map alone. */
  readonly repositoryKey: 'repository' | 'image';
  readonly hasRegistry: boolean;
  readonly hasDigest: boolean;
  /** Whether the chart's one registry for all images is in force here. */
  readonly isUnderGlobal: boolean;
  /** Whether a value can move it: items of lists are no values of their own to helm. */
  readonly isReachable: boolean;
}

/** Where a value stands. */
export interface At {
  /** The values of the whole chart. */
  readonly root: ValuesMap;
  readonly path: readonly string[];
  readonly isReachable: boolean;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Every place that looks like an image, at any depth, in the order of the values. */
export function findImagePlaces(values: ValuesMap): readonly ImagePlace[] {
  const places: ImagePlace[] = [];
  const visit = (value: Values, path: readonly string[], isReachable: boolean): void => {
    const at = { root: values, path, isReachable };
    if (value instanceof Map) {
      const map = value as ValuesMap;
      const place = readMap(map, at);
      if (place) places.push(place);
      for (const [key, inner] of map) if (key !== place?.repositoryKey) visit(inner, [...path, key], isReachable);
      return;
    }
    if (Array.isArray(value)) {
      for (const [index, inner] of (value as readonly Values[]).entries()) visit(inner, [...path, `${index}`], false);
      return;
    }
    const place = isText(value) ? readText(value, at) : undefined;
    if (place) places.push(place);
  };
  visit(values, [], true);
  return places;
}

/** The image that a map has in parts: `repository` and its like, or `image` beside a `tag`. Undefined where it is none. */
export function readMap(map: ValuesMap, at: At): ImagePlace | undefined {
  const repositoryKey = isText(map.get('repository')) ? 'repository' : 'image';
  const named = map.get(repositoryKey);
  const hasParts = ['tag', 'digest', 'registry'].some(key => map.has(key));
  if (!isText(named) || (repositoryKey === 'image' && !hasParts)) return undefined;
  const { registry, isUnderGlobal } = registryOf(map, named, at);
  const name = splitImageName(registry === undefined ? named : `${registry.replace(/\/$/, '')}/${named}`);
  if (!name) return undefined;
  const isImage = hasParts || map.has('pullPolicy') || /image$/i.test(at.path.at(-1) ?? '');
  return {
    path: at.path,
    form: isImage && !isWhole(name) ? 'map' : 'unclear',
    image: showParts(name, map.get('tag')),
    host: name.host,
    repository: name.repository,
    repositoryKey,
    hasRegistry: map.has('registry'),
    hasDigest: map.has('digest'),
    isUnderGlobal,
    // A stage gives a host, and the slash behind it would be missing.
    isReachable: at.isReachable && !registry?.endsWith('/'),
  };
}

function showParts({ host, repository }: ImageName, tag: Values | undefined): string {
  const shown = `${host === undefined ? '' : `${host}/`}${repository}`;
  return isText(tag) || typeof tag === 'number' ? `${shown}:${tag}` : shown;
}

function isWhole({ tag, digest }: ImageName): boolean {
  return tag !== undefined || digest !== undefined;
}

/** Bitnami's registry for all images wins over an image's own; charts of another make put it before a name without a host. */
function registryOf(map: ValuesMap, named: string, at: At): { registry: string | undefined; isUnderGlobal: boolean } {
  const general = globalRegistry(at);
  const own = map.get('registry');
  if (general !== undefined && (map.has('registry') || splitImageName(named)?.host === undefined)) {
    return { registry: general, isUnderGlobal: true };
  }
  return { registry: isText(own) ? own : undefined, isUnderGlobal: false };
}

/** A chart's globals win over those of its subcharts, also when they are empty. */
function globalRegistry({ root, path }: At): string | undefined {
  for (let length = 0; length <= path.length; length += 1) {
    const registry = valueAt(root, [...path.slice(0, length), 'global', 'imageRegistry']);
    if (registry !== undefined && registry !== null) return isText(registry) ? registry : undefined;
  }
  return undefined;
}

/** The image that a text names whole. Any key may hold one with a host and a tag; without them its key has to say so. */
export function readText(text: string, at: At): ImagePlace | undefined {
  const name = splitImageName(text);
  const key = at.path.at(-1) ?? '';
  const isImageKey = /image$/i.test(key);
  if (!name) return undefined;
  if (!isImageKey && (name.host === undefined || !(isWhole(name) || /repository$/i.test(key)))) return undefined;
  // `image: web` beside `imageTag: 1.0` is a part, and which part the chart makes of it cannot be told.
  const above = valueAt(at.root, at.path.slice(0, -1));
  const beside = above instanceof Map ? [...(above as ValuesMap).keys()] : [];
  const isPart = !isImageKey || beside.some(each => each !== key && /tag$/i.test(each));
  return {
    path: at.path,
    form: isWhole(name) || !isPart ? 'whole' : 'unclear',
    image: text,
    host: name.host,
    repository: name.repository,
    repositoryKey: 'repository',
    hasRegistry: false,
    hasDigest: name.digest !== undefined,
    isUnderGlobal: false,
    isReachable: at.isReachable,
  };
}
