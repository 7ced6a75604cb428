/** What a YAML document says, with aliases and merge keys resolved as helm's reader resolves them; nothing is expanded. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { isNothing, rangeOf } from './yaml-range.ts';

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

/** Makes the error for `reason` at an offset of the text. */
export type FaultAt = (reason: string, offset: number) => Error;

const maxDepth = 500;
const maxSize = 1_000_000;

interface Reading {
  readonly faultAt: FaultAt;
  /** Values by their anchors, as far as the text was read; undefined while one is being read. */
  readonly anchors: Map<string, YamlValue | undefined>;
  /** Keys that merges brought, which is work that no size of the text bounds. */
  merged: number;
}

/** Reads a document without faults. Undefined where it is empty; throws what `faultAt` makes. */
export function resolveYaml(document: Document.Parsed, faultAt: FaultAt): YamlValue | undefined {
  if (!document.contents) return undefined;
  const root = resolveNode(document.contents, 0, { faultAt, anchors: new Map(), merged: 0 });
  const isEmpty = root.kind === 'scalar' && isNothing(root.node);
  return isEmpty ? undefined : root;
}

function resolveNode(node: unknown, depth: number, reading: Reading): YamlValue {
  if (depth > maxDepth) throw reading.faultAt(`it is nested more than ${maxDepth} deep`, rangeOf(node)[0]);
  if (isAlias(node)) {
    const value = reading.anchors.get(node.source);
    const isInside = reading.anchors.has(node.source);
    const where = isInside ? 'stands inside its own anchor' : 'has no anchor above it';
    if (!value) throw reading.faultAt(`the alias "*${node.source}" ${where}`, rangeOf(node)[0]);
    return value;
  }
  const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
  if (anchor !== undefined) reading.anchors.set(anchor, undefined);
  const value = resolveOwn(node, depth, reading);
  if (value.size > maxSize) {
    throw reading.faultAt(`its aliases make it larger than ${maxSize} values`, rangeOf(node)[0]);
  }
  if (anchor !== undefined) reading.anchors.set(anchor, value);
  return value;
}

function resolveOwn(node: unknown, depth: number, reading: Reading): YamlValue {
  if (isMap(node)) return resolveMap(node, depth, reading);
  if (isSeq(node)) {
    const items = node.items.map(each => {
      // The items of an ordered map are pairs.
      const value = isPair(each) ? resolveNode(each.value, depth + 1, reading) : resolveNode(each, depth + 1, reading);
      return { node: each, value };
    });
    return { kind: 'list', node, items, size: items.reduce((sum, { value }) => sum + value.size, 1) };
  }
  if (isScalar(node)) return { kind: 'scalar', value: node.value, node, size: 1 };
  return { kind: 'scalar', value: null, node: undefined, size: 1 };
}

function resolveMap(node: YAMLMap, depth: number, reading: Reading): YamlMap {
  const entries = new Map<string, YamlEntry>();
  let size = 1;
  for (const pair of node.items) {
    if (isMergeKey(pair.key)) {
      for (const [key, entry] of mergedEntries(resolveNode(pair.value, depth + 1, reading), pair, reading)) {
        const own = entries.get(key);
        // Helm's reader takes keys as they come, so a merge replaces what stands before it.
        entries.set(key, { ...entry, isMerged: true, isDoubled: own !== undefined && !own.isMerged });
        size += entry.value.size;
      }
      continue;
    }
    const key = readKey(resolveNode(pair.key, depth + 1, reading), pair, reading);
    const value = resolveNode(pair.value, depth + 1, reading);
    const before = entries.get(key);
    const isDoubled = before !== undefined && (!before.isMerged || before.isDoubled);
    entries.set(key, { pair, value, isMerged: false, isDoubled });
    size += value.size;
  }
  return { kind: 'map', node, entries, size };
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && (typeof key.value === 'symbol' || (key.value === '<<' && key.type === Scalar.PLAIN));
}

/** What a merge brings: of several maps the first wins. https://yaml.org/type/merge.html */
function mergedEntries(source: YamlValue, pair: Pair, reading: Reading): Map<string, YamlEntry> {
  const maps = source.kind === 'list' ? source.items.map(each => each.value).reverse() : [source];
  const entries = new Map<string, YamlEntry>();
  for (const map of maps) {
    if (map.kind !== 'map')
      throw reading.faultAt('a merge key ("<<") has something other than maps', rangeOf(pair.key)[0]);
    reading.merged += map.entries.size;
    if (reading.merged > maxSize) {
      throw reading.faultAt(`its merge keys make it larger than ${maxSize} values`, rangeOf(pair.key)[0]);
    }
    for (const [key, entry] of map.entries) entries.set(key, entry);
  }
  return entries;
}

function readKey(key: YamlValue, pair: Pair, reading: Reading): string {
  if (key.kind !== 'scalar')
    throw reading.faultAt('a key is a map or a list, which helm does not take', rangeOf(pair.key)[0]);
  return String(key.value);
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
