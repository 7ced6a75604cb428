/** Where a key goes that is not there yet. */
import type { Pair, YAMLMap } from 'yaml';
import type { Piece, Splice } from './splice.ts';
import { columnOf, endOf, endOfLine, eolAt, rangeOf, startOfPair } from './yaml-range.ts';
import { writeBlock, writeFlowPair } from './yaml-write.ts';

/**
 * Adds the first key of `path`, with the others below it, behind the last key of its map: a merge replaces the keys that
 * stand before it.
 */
export function spliceKey(text: string, map: YAMLMap, path: readonly string[], value: string): Splice {
  const first = map.items[0];
  const last = map.items.at(-1);
  const offset = last ? startOfPair(last) : rangeOf(map)[0];
  const isFlow = map.flow === true || !first || !last;
  const piece = isFlow ? flowPiece(text, map, path, value) : blockPiece(text, { first, last }, path, value);
  return { offset, before: undefined, pieces: [piece] };
}

function blockPiece(
  text: string,
  { first, last }: { readonly first: Pair; readonly last: Pair },
  path: readonly string[],
  value: string,
): Piece {
  const end = endOf(last);
  const eol = eolAt(text, end);
  const block = writeBlock(path, value, { indent: columnOf(text, startOfPair(first)), eol });
  // A text in a block has the end of its last line in it.
  if (text[end - 1] === '\n') return { start: end, end, text: `${block}${eol}` };
  const start = endOfLine(text, end);
  return { start, end: start, text: `${eol}${block}` };
}

function flowPiece(text: string, map: YAMLMap, path: readonly string[], value: string): Piece {
  const [start, end] = rangeOf(map);
  const last = map.items.at(-1);
  const pair = writeFlowPair(path, value);
  if (!last) return { start: start + 1, end: start + 1, text: ` ${pair} ` };
  const lastEnd = endOf(last);
  const comma = /^(?:\s|#[^\n]*\n)*,/.exec(text.slice(lastEnd, end - 1));
  const at = lastEnd + (comma?.[0].length ?? 0);
  return { start: at, end: at, text: comma ? ` ${pair},` : `, ${pair}` };
}

/** Adds the keys to a text that says nothing yet, but for comments. */
export function spliceEmpty(text: string, path: readonly string[], value: string): Splice {
  const start = text.length;
  const eol = eolAt(text, start);
  const isLineOpen = text !== '' && text !== '\ufeff' && !text.endsWith('\n');
  const block = writeBlock(path, value, { indent: 0, eol });
  const piece = { start, end: start, text: `${isLineOpen ? eol : ''}${block}${eol}` };
  return { offset: start, before: undefined, pieces: [piece] };
}
