/** Where a value goes into the text of a YAML file: everything else of the text stays as it is, byte for byte. */
import { isCollection, isPair, isScalar, type Pair, Scalar } from 'yaml';
import { spliceEmpty, spliceKey } from './splice-key.ts';
import { isNothing, placeOfValue, rangeOf } from './yaml-range.ts';
import type { YamlText } from './yaml-text.ts';
import type { YamlMap, YamlValue } from './yaml-value.ts';
import { quote, writeFlow } from './yaml-write.ts';

/** What is to be replaced for one value. */
export interface Splice {
  /** Where a person finds it: the value, or the key that it is put behind. */
  readonly offset: number;
  /** The value as it stood in the text; undefined where there was none. */
  readonly before: string | undefined;
  /** They do not overlap. */
  readonly pieces: readonly Piece[];
}

/** A piece of the text and what takes its place; where `start` is `end` nothing is taken away. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Why there is no place for a value, as a clause. */
export interface Refusal {
  readonly refused: string;
  readonly offset: number;
}

/** Undefined: the value stands there already. */
export type Spliced = Splice | Refusal | undefined;

/**
 * Where `value` has to be written for `path` to have it. Undefined where it has it already, in quotes; a refusal where the
 * text offers no such place.
 */
export function findSplice(yaml: YamlText, path: readonly string[], value: string): Spliced {
  if (!yaml.root) return spliceEmpty(yaml.text, path, value);
  if (isNull(yaml.root)) return replace(yaml, yaml.root.node, writeFlow(path, value));
  return descend(yaml, yaml.root, { path, depth: 0, value });
}

/** How far the way to a value has been gone. */
interface Way {
  readonly path: readonly string[];
  readonly depth: number;
  readonly value: string;
}

function descend(yaml: YamlText, above: YamlValue, { path, depth, value }: Way): Spliced {
  const [key = '', ...below] = path.slice(depth);
  const here = path.slice(0, depth).join('.');
  const next = { path, depth: depth + 1, value };
  if (above.kind === 'scalar') return refuse(`"${here}" is a value, not a map`, above.node);
  if (above.kind === 'list') {
    const item = /^\d+$/.test(key) ? above.items[Number(key)] : undefined;
    if (!item || isPair(item.node)) return refuse(`"${here}" is a list without an item ${key}`, above.node);
    return below.length > 0 ? descend(yaml, item.value, next) : replaceItem(yaml, item.node, value);
  }
  return descendMap(yaml, above, next);
}

/** `way` is past the key of the map. */
function descendMap(yaml: YamlText, map: YamlMap, way: Way): Spliced {
  const { path, depth, value } = way;
  const key = path[depth - 1] ?? '';
  const below = path.slice(depth);
  const entry = map.entries.get(key);
  if (entry?.isDoubled) return refuse(`the key "${key}" stands twice in its map`, entry.pair.key);
  if (!entry || (entry.isMerged && below.length === 0)) return spliceKey(yaml.text, map.node, [key, ...below], value);
  if (below.length === 0) return replaceValue(yaml, entry.pair, value);
  return isNull(entry.value) ? replaceNull(yaml, entry.pair, writeFlow(below, value)) : descend(yaml, entry.value, way);
}

function refuse(refused: string, node: unknown): Refusal {
  return { refused, offset: rangeOf(node)[0] };
}

function isNull(value: YamlValue): boolean {
  return value.kind === 'scalar' && value.value === null;
}

function replace(yaml: YamlText, node: unknown, text: string): Splice {
  const [start, end] = rangeOf(node);
  return { offset: start, before: yaml.text.slice(start, end), pieces: [{ start, end, text }] };
}

/** Where a null is written with nothing, the value goes behind the colon. */
function replaceNull(yaml: YamlText, pair: Pair, text: string): Spliced {
  if (!isNothing(pair.value)) return replace(yaml, pair.value, text);
  const place = placeOfValue(pair);
  if (!place) return refuse('a key stands without a colon', pair.key);
  const piece = { start: place.at, end: place.at, text: `${place.before}${text}` };
  return { offset: rangeOf(pair.key)[0], before: undefined, pieces: [piece] };
}

function replaceValue(yaml: YamlText, pair: Pair, value: string): Spliced {
  return isNothing(pair.value) ? replaceNull(yaml, pair, quote(value)) : replaceNode(yaml, pair.value, value);
}

function replaceItem(yaml: YamlText, node: unknown, value: string): Spliced {
  return isNothing(node) ? refuse('an item of a list is empty', node) : replaceNode(yaml, node, value);
}

function replaceNode(yaml: YamlText, node: unknown, value: string): Spliced {
  if (isCollection(node)) return refuse('a map or a list stands where a value is expected', node);
  if (!isScalar(node)) return replace(yaml, node, quote(value));
  const isQuoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE;
  if (isQuoted && node.value === value) return undefined;
  if (node.tag !== undefined && node.tag !== 'tag:yaml.org,2002:str') {
    return refuse('a value has a tag (a word with "!" before it) that does not fit a text', node);
  }
  const isBlock = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
  return isBlock ? replaceBlock(yaml, node, value) : replace(yaml, node, quote(value));
}

/** A text in a block: its sign gives way to the value, so what stands behind the sign stays, and its lines go. */
function replaceBlock({ text }: YamlText, node: Scalar, value: string): Splice {
  const [start, end] = rangeOf(node);
  const block = text.slice(start, end);
  const sign = /^[|>][-+0-9]*/.exec(block)?.[0] ?? '';
  const pieces = [{ start, end: start + sign.length, text: quote(value) }];
  const body = block.indexOf('\n') + 1;
  // Blank lines behind the text stay, whether or not YAML counts them to it.
  const lastLine = body + block.slice(body).trimEnd().length;
  const isEmpty = body === 0 || lastLine === body;
  const lastEnd = block.indexOf('\n', lastLine) + 1 || block.length;
  if (!isEmpty) pieces.push({ start: start + body, end: start + lastEnd, text: '' });
  return { offset: start, before: block.trimEnd(), pieces };
}
