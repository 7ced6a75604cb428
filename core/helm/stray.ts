/** Whether an edit did what it should and nothing else. */
import type { Values, ValuesMap } from './values.ts';

/** What has to be at a path, and at paths below. */
interface Wanted {
  value?: string;
  readonly below: Map<string, Wanted>;
}

/** The path of the first value of `after` that is neither as in `before` nor as the edits want it; undefined where there is none. */
export function findStray(
  before: Values,
  after: Values,
  edits: readonly { readonly path: readonly string[]; readonly value: string }[],
): readonly string[] | undefined {
  const root: Wanted = { below: new Map() };
  for (const { path, value } of edits) {
    let at = root;
    for (const key of path) {
      const next: Wanted = at.below.get(key) ?? { below: new Map() };
      at.below.set(key, next);
      at = next;
    }
    at.value = value;
  }
  return compare(before, after, root, []);
}

function compare(
  before: Values | undefined,
  after: Values | undefined,
  wanted: Wanted | undefined,
  path: readonly string[],
): readonly string[] | undefined {
  if (wanted?.value !== undefined) return after === wanted.value ? undefined : path;
  if (!wanted && Object.is(before, after)) return undefined;
  const old = childrenOf(before, after, wanted);
  const now = childrenOf(after, before);
  if (!old || !now) return path;
  for (const key of new Set([...old.keys(), ...now.keys(), ...(wanted?.below.keys() ?? [])])) {
    const stray = compare(old.get(key), now.get(key), wanted?.below.get(key), [...path, key]);
    if (stray) return stray;
  }
  return undefined;
}

/** By key, where `other` is of the same kind; a map that was missing, or null, is there to hold what is wanted in it. */
function childrenOf(values: Values | undefined, other: Values | undefined, wanted?: Wanted): ValuesMap | undefined {
  if (wanted && (values ?? null) === null && other instanceof Map) return new Map();
  if (values instanceof Map) return values as ValuesMap;
  if (!Array.isArray(values) || !Array.isArray(other)) return undefined;
  return new Map((values as readonly Values[]).map((item, index) => [String(index), item]));
}
