/** The part of JavaScript's regular expressions that a linear matcher can run, read into a tree. */
import { inputError } from './errors.ts';

/** An expression as a tree. `take` takes one UTF-16 unit. */
export type Node =
  | { readonly kind: 'take'; readonly takes: (code: number) => boolean }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number };

type Takes = (code: number) => boolean;

interface Reader {
  readonly source: string;
  at: number;
}

const maxLength = 256;
const maxRepeat = 100;
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v' };
const wordClass: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };

/** Reads an expression without its slashes. Throws `INPUT_INVALID` for what is wrong, too long, or has no linear matcher. */
export function parseRegex(source: string): Node {
  if (source.length > maxLength) throw inputError(`it has more than ${maxLength} characters`);
  const reader = { source, at: 0 };
  const root = readChoice(reader);
  if (reader.at < source.length) throw inputError('it closes a group that was not opened');
  return root;
}

function readChoice(reader: Reader): Node {
  const parts = [readSequence(reader)];
  while (reader.source[reader.at] === '|') {
    reader.at += 1;
    parts.push(readSequence(reader));
  }
  return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts };
}

function readSequence(reader: Reader): Node {
  const parts: Node[] = [];
  for (let next = reader.source[reader.at]; next !== undefined && !'|)'.includes(next); next = reader.source[reader.at])
    parts.push(readRepeat(reader, readAtom(reader, next)));
  return { kind: 'sequence', parts };
}

function readAtom(reader: Reader, next: string): Node {
  reader.at += 1;
  switch (next) {
    case '^':
      return { kind: 'start' };
    case '$':
      return { kind: 'end' };
    case '(':
      return readGroup(reader);
    case '[':
      return { kind: 'take', takes: readClass(reader) };
    case '.':
      // https://tc39.es/ecma262/#sec-compileatom: everything but a line terminator.
      return { kind: 'take', takes: code => ![0x0a, 0x0d, 0x2028, 0x2029].includes(code) };
    case '\\':
      return { kind: 'take', takes: readEscape(reader) };
    case '*':
    case '+':
    case '?':
      throw inputError(`it has a "${next}" with nothing before it to repeat`);
    case '{':
    case '}':
    case ']':
      throw inputError(`it has a "${next}" out of place; write "\\${next}" for the character`);
    default:
      return { kind: 'take', takes: only(next) };
  }
}

function readGroup(reader: Reader): Node {
  const { source } = reader;
  if (source[reader.at] === '?') {
    if (source[reader.at + 1] !== ':') throw inputError('it looks around or names a group, which is not known here');
    reader.at += 2;
  }
  const inner = readChoice(reader);
  if (source[reader.at] !== ')') throw inputError('it does not close a group');
  reader.at += 1;
  // A group of its own, so that anchors within do not count as the whole expression's.
  return { kind: 'choice', parts: [inner] };
}

function readRepeat(reader: Reader, part: Node): Node {
  const rest = reader.source.slice(reader.at);
  const [whole, sign, counts] = /^(?:([*+?])|\{(\d{1,3}(?:,\d{0,3})?)\})/.exec(rest) ?? [];
  if (whole === undefined) return part;
  if (part.kind === 'start' || part.kind === 'end') throw inputError('it repeats an anchor');
  reader.at += whole.length;
  // "As few as possible" finds another match, and whether there is one is the same.
  if (reader.source[reader.at] === '?') reader.at += 1;
  if ('*+?{'.includes(reader.source[reader.at] ?? ' ')) throw inputError('it repeats a repetition');
  if (counts !== undefined) return { kind: 'repeat', part, ...readCounts(counts) };
  return { kind: 'repeat', part, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
}

function readCounts(text: string): { readonly least: number; readonly most: number } {
  const [from = '', to = from] = text.split(',');
  const least = Number(from);
  const most = to === '' ? Infinity : Number(to);
  if (least > maxRepeat || (most !== Infinity && most > maxRepeat)) {
    throw inputError(`it repeats more than ${maxRepeat} times`);
  }
  if (most < least) throw inputError('it has a repetition whose end is before its start');
  return { least, most };
}

function readEscape(reader: Reader): Takes {
  const letter = reader.source[reader.at];
  if (letter === undefined) throw inputError('it ends in a backslash');
  reader.at += 1;
  const known = wordClass[letter];
  if (known) return code => known.test(String.fromCharCode(code));
  const control = controls[letter];
  if (control !== undefined) return only(control);
  if (/[A-Za-z0-9]/.test(letter)) throw inputError(`it has "\\${letter}", which is not known here`);
  return only(letter);
}

function readClass(reader: Reader): Takes {
  const { source } = reader;
  const negated = source[reader.at] === '^';
  if (negated) reader.at += 1;
  const parts: Takes[] = [];
  for (let next = source[reader.at]; next !== ']'; next = source[reader.at]) {
    if (next === undefined) throw inputError('it does not close a "["');
    parts.push(readRange(reader, next));
  }
  reader.at += 1;
  if (parts.length === 0) throw inputError('it has an empty "[]"');
  return code => parts.some(takes => takes(code)) !== negated;
}

function readRange(reader: Reader, first: string): Takes {
  const { source } = reader;
  reader.at += 1;
  if (first === '\\') {
    const takes = readEscape(reader);
    if (source[reader.at] === '-' && source[reader.at + 1] !== ']') throw inputError('it has a range from an escape');
    return takes;
  }
  const last = source[reader.at + 1];
  if (source[reader.at] !== '-' || last === ']' || last === undefined) return only(first);
  reader.at += 2;
  if (last === '\\') throw inputError('it has a range to an escape');
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  if (to < from) throw inputError(`it has a range "${first}-${last}" whose end is before its start`);
  return code => code >= from && code <= to;
}

function only(character: string): Takes {
  const wanted = character.charCodeAt(0);
  return code => code === wanted;
}
