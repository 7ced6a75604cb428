/** Keys of the configuration by their paths, as a person finds them in the file. */

/** A key by its path from the top: `['registries', 0, 'url']`. */
export type KeyPath = readonly PropertyKey[];

/** One of a list, and where it stands there. */
export interface Placed<T> {
  readonly at: number;
  readonly one: T;
}

/** Shows a path: `registries[0].url`. */
export function showPath(path: KeyPath): string {
  const text = path.map(key => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text.replace(/^\./, '') || 'the configuration';
}

/** The path of a key of the organization at `at`; in the short form it stands at the top, or is the organization itself. */
export function pathOfOrganization(isShort: boolean, at: number, ...path: PropertyKey[]): KeyPath {
  if (!isShort) return ['organizations', at, ...path];
  return path[0] === 'projects' ? path : ['organization'];
}
