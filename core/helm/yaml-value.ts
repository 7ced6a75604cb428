/** What a YAML document says, with where it stands in the text. Nothing is expanded: what has two places is one value. */
import type { Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { rangeOf } from './yaml-range.ts';

/** A text, a number, a truth value, null, or one of YAML's rarer kinds. `size` counts what it would be without aliases. */
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly value: unknown;
  /** Undefined where nothing stands at all, as behind the key of `{a, b}`. */
  readonly node: Scalar | undefined;
  readonly size: number;
}

/** A map. A key that stands twice has its last value, and so has one that a merge brings after it. */
export interface YamlMap {
  readonly kind: 'map';
  readonly node: YAMLMap;
  readonly entries: ReadonlyMap<string, YamlEntry>;
  readonly size: number;
}

/** A list. */
export interface YamlList {
  readonly kind: 'list';
  readonly node: YAMLSeq;
  readonly items: readonly YamlItem[];
  readonly size: number;
}

/** What a document says at one place. */
export type YamlValue = YamlScalar | YamlMap | YamlList;

/** An item of a list; `node` is as it is written, so it may be an alias. */
export interface YamlItem {
  readonly node: unknown;
  readonly value: YamlValue;
}

/** A key of a map, and what it has. */
export interface YamlEntry {
  readonly pair: Pair;
  readonly value: YamlValue;
  /** Whether a merge brought it: then it stands in another map. */
  readonly isMerged: boolean;
  /** Whether this map has the key itself more than once, or once beside a merge that wins. */
  readonly isDoubled: boolean;
}

/** The value at a path, and where its key stands; `isWhole` is false where the path goes on, and nothing is there. */
export function findYaml(
  root: YamlValue,
  path: readonly string[],
): { readonly value: YamlValue; readonly offset: number; readonly isWhole: boolean } {
  let value = root;
  let offset = rangeOf(root.node)[0];
  for (const key of path) {
    const next = childOf(value, key);
    if (!next) return { value, offset, isWhole: false };
    value = next.value;
    offset = rangeOf(next.node)[0];
  }
  return { value, offset, isWhole: true };
}

function childOf(value: YamlValue, key: string): { readonly value: YamlValue; readonly node: unknown } | undefined {
  if (value.kind === 'map') {
    const entry = value.entries.get(key);
    return entry && { value: entry.value, node: entry.pair.key };
  }
  return value.kind === 'list' && /^\d+$/.test(key) ? value.items[Number(key)] : undefined;
}
