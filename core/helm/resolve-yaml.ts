/** Aliases and merge keys of a YAML document, resolved as helm's reader resolves them. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Pair, Scalar, type YAMLMap } from 'yaml';
import { isNothing, rangeOf } from './yaml-range.ts';
import type { YamlEntry, YamlMap, YamlValue } from './yaml-value.ts';

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
