/** Patterns for paths as Go has them, byte for byte: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before what means itself. https://pkg.go.dev/path/filepath#Match */

/** Pieces of a pattern: each begins where a `*` stands, or at its start. */
export type Glob = readonly GlobPiece[];

interface GlobPiece {
  /** Whether anything but a `/` may stand before it. */
  readonly isLoose: boolean;
  readonly terms: readonly Term[];
}

/** A byte; any one character but a `/`; or one character, a `/` among them, in or out of these ranges. */
type Term =
  | { readonly kind: 'byte'; readonly byte: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [number, number])[] };

const slash = 0x2f;
const encoder = new TextEncoder();

/** Undefined where the pattern is not sound. */
export function parseGlob(pattern: string): Glob | undefined {
  const pieces: GlobPiece[] = [];
  for (const { isLoose, text } of cut(pattern)) {
    const terms = parseTerms(Array.from(text));
    if (!terms) return undefined;
    pieces.push({ isLoose, terms });
  }
  return pieces;
}

/** Cuts before every run of `*`, but not within brackets, where it means itself. */
function cut(pattern: string): { isLoose: boolean; text: string }[] {
  const pieces = [{ isLoose: false, text: '' }];
  let isInClass = false;
  for (const [token] of pattern.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    const last = pieces.at(-1);
    if (token === '[') isInClass = true;
    if (token === ']') isInClass = false;
    if (token !== '*' || isInClass) {
      if (last) last.text += token;
    } else if (last?.text === '') last.isLoose = true;
    else pieces.push({ isLoose: true, text: '' });
  }
  return pieces;
}

function parseTerms(text: string[]): Term[] | undefined {
  const terms: Term[] = [];
  for (let next = text.shift(); next !== undefined; next = text.shift()) {
    if (next === '?') terms.push({ kind: 'any' });
    else if (next === '[') {
      const term = parseClass(text);
      if (!term) return undefined;
      terms.push(term);
    } else {
      const literal = next === '\\' ? text.shift() : next;
      if (literal === undefined) return undefined;
      for (const byte of encoder.encode(literal)) terms.push({ kind: 'byte', byte });
    }
  }
  return terms;
}

/** What stands between brackets; takes it out of `text`, the closing one too. */
function parseClass(text: string[]): Term | undefined {
  const isNegated = text[0] === '^';
  if (isNegated) text.shift();
  const ranges: [number, number][] = [];
  while (text[0] !== ']' || ranges.length === 0) {
    const low = takeCharacter(text);
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (text[0] === '-') {
      text.shift();
      high = takeCharacter(text);
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  text.shift();
  return { kind: 'class', isNegated, ranges };
}

/** Something must come behind it: the bracket is still open. */
function takeCharacter(text: string[]): number | undefined {
  const next = text.shift();
  if (next === undefined || next === '-' || next === ']') return undefined;
  const character = next === '\\' ? text.shift() : next;
  return text.length === 0 ? undefined : character?.codePointAt(0);
}

/**
 * Whether the whole of `path` matches. Each `*` takes as little as lets its piece match, and nothing is tried again; that
 * is how Go does it, and it shows where a class takes a `/` that no `*` may.
 */
export function matchesGlob(glob: Glob, path: string): boolean {
  const bytes = encoder.encode(path);
  let at = 0;
  for (const [index, piece] of glob.entries()) {
    const end = findPiece(piece, bytes, at, index === glob.length - 1);
    if (end === undefined) return false;
    at = end;
  }
  return at === bytes.length;
}

/** Where the piece ends that begins at `from`, or behind it where it is loose. The last one has to reach the end. */
function findPiece(piece: GlobPiece, bytes: Uint8Array, from: number, isLast: boolean): number | undefined {
  if (piece.isLoose && piece.terms.length === 0) return bytes.indexOf(slash, from) < 0 ? bytes.length : undefined;
  for (let start = from; ; start += 1) {
    const end = matchTerms(piece.terms, bytes, start);
    if (end !== undefined && (!isLast || end === bytes.length)) return end;
    if (!piece.isLoose || start >= bytes.length || bytes[start] === slash) return undefined;
  }
}

function matchTerms(terms: readonly Term[], bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  for (const term of terms) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (term.kind === 'byte') {
      if (byte !== term.byte) return undefined;
      at += 1;
      continue;
    }
    const { code, size } = decodeCharacter(bytes, at);
    if (term.kind === 'any' && byte === slash) return undefined;
    if (term.kind === 'class' && term.ranges.some(([low, high]) => low <= code && code <= high) === term.isNegated) {
      return undefined;
    }
    at += size;
  }
  return at;
}

/** The character at a place; within one, where a `*` may have ended, it is a byte that means nothing. */
function decodeCharacter(bytes: Uint8Array, at: number): { code: number; size: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { code: first, size: 1 };
  if (first < 0xc0) return { code: 0xfffd, size: 1 };
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  let code = first & (0xff >> (size + 1));
  for (const byte of bytes.subarray(at + 1, at + size)) code = (code << 6) | (byte & 0x3f);
  return { code, size };
}
