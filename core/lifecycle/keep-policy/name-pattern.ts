/** Patterns of branches, tags and repositories: a glob, or a regular expression between slashes. Pure, and linear in time. */
import { errorMessage, inputError } from '../../base/errors.ts';
import { compileRegex } from '../../base/linear-regex.ts';

/** A pattern, read. */
export interface NamePattern {
  /** As it was written. */
  readonly text: string;
  /** A glob must match the whole name; an expression is found anywhere in it, unless it says `^` and `$`. */
  matches(name: string): boolean;
  /** Whether it can only match whole names. */
  readonly isWhole: boolean;
}

const maxStars = 4;
/** What no glob holds. https://git-scm.com/docs/git-check-ref-format; a tag of an image may hold still less. */
const inNoName = String.raw`\s\p{Cc}~^:?[\]\\`;
const outOfNames = new RegExp(`[${inNoName}]`, 'u');
/** What patterns look like, for a JSON Schema; {@link parseNamePattern} says the rest. */
export const namePatternShape: string = String.raw`^(?:/[\s\S]+/|[^/${inNoName}][^${inNoName}]*)$`;

/**
 * Reads a pattern. In a glob `*` stands for any characters, `/` among them, and nothing else is special.
 * Throws `INPUT_INVALID`; the message begins with "must", to stand behind the name of a key.
 */
export function parseNamePattern(text: string): NamePattern {
  if (text.startsWith('/')) return parseExpression(text);
  if (text === '') throw inputError('must not be empty');
  if (text.length > 256) throw inputError('must have at most 256 characters');
  if (outOfNames.test(text))
    throw inputError(
      'must be a glob, and holds what no name can; a regular expression stands between slashes: /^v\\d/',
    );
  const parts = text.split('*');
  if (parts.length > maxStars + 1) throw inputError(`must have at most ${maxStars} *`);
  return { text, matches: name => matchesParts(name, parts), isWhole: true };
}

function parseExpression(text: string): NamePattern {
  if (text.length < 3 || !text.endsWith('/')) {
    throw inputError('must be a regular expression between slashes, without flags: /^v\\d/');
  }
  try {
    const regex = compileRegex(text.slice(1, -1));
    return { text, matches: name => regex.matches(name), isWhole: regex.isWhole };
  } catch (thrown) {
    throw inputError(`must be a regular expression of the kind that is known here: ${errorMessage(thrown)}`, thrown);
  }
}

/**
 * Whether a name is these parts in their order, with anything between them: the first part begins it, the last one ends it.
 * In time proportional to the name.
 */
export function matchesParts(name: string, parts: readonly string[]): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
