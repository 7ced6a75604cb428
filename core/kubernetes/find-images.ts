/** Images in an object of any kind, by where they stand in it. Pure. */

/** Lists whose entries are containers, in whatever holds the specification of a pod. */
const containers = new Set(['containers', 'initContainers', 'ephemeralContainers']);
/** `[host/]path[:tag][@digest]`; a host may be written in capitals. An address of a web page is none, nor is a text with spaces. */
const imageName =
  /^(?:[A-Za-z0-9][A-Za-z0-9._-]*(?::\d+)?\/)?[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9._-]+)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$/;

/** A value, and the last steps to it; an item of a list is `*`. */
interface Place {
  readonly value: unknown;
  readonly path: readonly string[];
}

/**
 * Every image that an object names, each once: whatever stands at `image` of a container or at the `reference` of a volume
 * that is an image, as it stands there; and at any other `image` a text that reads as the name of one, which is where most
 * custom resources have theirs.
 */
export function findImages(object: unknown): string[] {
  const found = new Set<string>();
  const places: Place[] = [{ value: object, path: [] }];
  for (let place = places.pop(); place; place = places.pop()) {
    const { value, path } = place;
    if (typeof value === 'string') {
      if (value !== '' && isImage(value, path)) found.add(value);
    } else if (typeof value === 'object' && value !== null) {
      const isList = Array.isArray(value);
      for (const [key, inner] of Object.entries(value)) {
        places.push({ value: inner, path: [...path.slice(-3), isList ? '*' : key] });
      }
    }
  }
  return [...found].sort();
}

function isImage(text: string, path: readonly string[]): boolean {
  const [last, above = '', item = '', list = ''] = [...path].reverse();
  if (last === 'reference') return above === 'image' && item === '*' && list === 'volumes';
  return last === 'image' && ((above === '*' && containers.has(item)) || imageName.test(text));
}
