/** What is wrong with a YAML text, in words of our own: the parser's quote the text, which may hold a secret. */
import { type Document, type ErrorCode, isMap, type LineCounter, visit, type YAMLError } from 'yaml';
import { groupBy } from './group-by.ts';

const reasons: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias has an anchor or a tag of its own',
  BAD_ALIAS: 'an alias has no name that can be read, or its anchor is not above it',
  BAD_COLLECTION_TYPE: 'a tag does not fit the value behind it',
  BAD_DIRECTIVE: 'a directive at its head is not known',
  BAD_DQ_ESCAPE: 'a text in double quotes has an escape that does not exist',
  BAD_INDENT: 'the indentation does not fit what stands above',
  BAD_PROP_ORDER: 'an anchor or a tag stands in the wrong place',
  BAD_SCALAR_START: 'a value begins with a character that needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a key, or a second colon, stands where a value is expected',
  BLOCK_IN_FLOW: 'a block stands between brackets',
  DUPLICATE_KEY: 'a key stands twice in one map',
  IMPOSSIBLE: 'it cannot be read',
  KEY_OVER_1024_CHARS: 'a key has more than 1024 characters',
  MISSING_CHAR: 'a quote, a bracket, a comma or a space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key runs over several lines',
  MULTIPLE_ANCHORS: 'a value has two anchors',
  MULTIPLE_DOCS: 'it holds more than one document',
  MULTIPLE_TAGS: 'a value has two tags',
  NON_STRING_KEY: 'a key is not a text',
  RESOURCE_EXHAUSTION: 'it is nested too deeply, or its aliases make it too large',
  TAB_AS_INDENT: 'a tab stands where spaces are expected',
  TAG_RESOLVE_FAILED: 'a tag (a word with "!" before it) is not known',
  UNEXPECTED_TOKEN: 'a character stands where none of its kind is expected',
};

/** Every fault of a parsed document, by its offset in the text; empty where it is sound. `lines` is the parser's counter. */
export function listYamlFaults(document: Document.Parsed, lines: LineCounter): { offset: number; reason: string }[] {
  if (document.errors.length === 0) return [];
  const unclosed = tellUnclosed(document, lines);
  return document.errors.map(error => ({ offset: error.pos[0], reason: unclosed.get(error) ?? reasons[error.code] }));
}

/** Of faults that say no more than that the indentation is wrong, the brackets that are not closed. */
function tellUnclosed(document: Document.Parsed, lines: LineCounter): Map<YAMLError, string> {
  const faults = document.errors.filter(error => /must .*end with a [\]}]$/.test(error.message));
  const byEnd = groupBy(listBrackets(document), ({ end }) => end);
  const told = new Map<YAMLError, string>();
  for (const [end, errors] of groupBy(faults, error => error.pos[0])) {
    // The parser ends them where it gives up, and complains of the innermost first; one that is closed there lies deeper.
    for (const [at, error] of errors.toReversed().entries()) {
      const open = byEnd.get(end)?.[at];
      if (!open) continue;
      const which = `the "${open.sign}" of line ${lines.linePos(open.start).line} is not closed`;
      const isIndented = error.code === 'BAD_INDENT';
      told.set(error, isIndented ? `${which} above, or what stands in it is not indented` : which);
    }
  }
  return told;
}

/** Maps and lists in brackets, an outer one before those in it. */
function listBrackets(document: Document.Parsed): { start: number; end: number; sign: string }[] {
  const found: { start: number; end: number; sign: string }[] = [];
  visit(document, {
    Collection: (_key, node) => {
      const [start, end] = node.range ?? [];
      if (node.flow && start !== undefined && end !== undefined)
        found.push({ start, end, sign: isMap(node) ? '{' : '[' });
    },
  });
  return found;
}

/**
 * The first fault of a parsed document, with the line it is in, counted from 1; undefined where it is sound.
 * `lines` is the counter that the parser was given.
 */
export function findYamlFault(
  document: Document.Parsed,
  lines: LineCounter,
): { line: number; reason: string } | undefined {
  const [first] = listYamlFaults(document, lines);
  return first && { line: lines.linePos(first.offset).line, reason: first.reason };
}
