/** Where the parts of a parsed YAML text stand in it. */
import { isCollection, isPair, isScalar, type Pair, Scalar } from 'yaml';

/** Where a node begins and ends, without what stands behind it. */
export function rangeOf(node: unknown): readonly [start: number, end: number] {
  const [start = 0, end = 0] = (node as { range?: readonly number[] | null } | null)?.range ?? [];
  return [start, end];
}

/** Whether a node is a null that is written with nothing. */
export function isNothing(node: unknown): boolean {
  return !node || (isScalar(node) && node.type === Scalar.PLAIN && (node.source ?? '') === '');
}

interface SourceToken {
  readonly type: string;
  readonly offset: number;
  readonly source: string;
}

function tokensOf(pair: Pair, part: 'start' | 'sep', types: readonly string[]): readonly SourceToken[] {
  const source = pair.srcToken as { start?: readonly SourceToken[]; sep?: readonly SourceToken[] } | undefined;
  return source?.[part]?.filter(each => types.includes(each.type)) ?? [];
}

/** Where a pair begins: at its key, or at what stands before that. */
export function startOfPair(pair: Pair): number {
  return tokensOf(pair, 'start', ['explicit-key-ind', 'anchor', 'tag'])[0]?.offset ?? rangeOf(pair.key)[0];
}

/**
 * Where a value goes whose pair has none, and what has to stand before it there: behind the colon, or the anchor behind
 * that. Undefined where a colon cannot be put.
 */
export function placeOfValue(pair: Pair): { readonly at: number; readonly before: string } | undefined {
  const last = tokensOf(pair, 'sep', ['map-value-ind', 'anchor', 'tag']).at(-1);
  if (last) return { at: last.offset + last.source.length, before: ' ' };
  const isExplicit = tokensOf(pair, 'start', ['explicit-key-ind']).length > 0;
  return isExplicit || !pair.key ? undefined : { at: rangeOf(pair.key)[1], before: ': ' };
}

/** Where the text of a pair ends, or of an item of a list, without the comments behind it. */
export function endOf(item: unknown): number {
  if (isPair(item)) {
    return isNothing(item.value) ? (placeOfValue(item)?.at ?? rangeOf(item.key)[1]) : endOf(item.value);
  }
  // The range of a block ends where the next thing begins.
  const isBlock = isCollection(item) && !item.flow && item.items.length > 0;
  return isBlock ? endOf(item.items.at(-1)) : rangeOf(item)[1];
}

/** How far `offset` is from the beginning of its line; a byte order mark does not count. */
export function columnOf(text: string, offset: number): number {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return offset - lineStart - (lineStart === 0 && text.startsWith('\ufeff') ? 1 : 0);
}

/** Where the line of `from` ends, before the characters that end it. */
export function endOfLine(text: string, from: number): number {
  const feed = text.indexOf('\n', from);
  if (feed < 0) return text.length;
  return text[feed - 1] === '\r' ? feed - 1 : feed;
}

/** How the line of `offset` ends; the last one as the first does. */
export function eolAt(text: string, offset: number): string {
  const here = text.indexOf('\n', offset);
  const feed = here < 0 ? text.indexOf('\n') : here;
  return feed > 0 && text[feed - 1] === '\r' ? '\r\n' : '\n';
}
