/**
 * YAML as helm reads it: 1.1 with merge keys, where a later value of a key replaces an earlier one. Read for editing: each
 * value knows where it stands. https://yaml.org/spec/1.1/, https://yaml.org/type/merge.html
 */
import { type Document, Lexer, LineCounter, parseDocument } from 'yaml';
import { AppError, inputError } from '../base/errors.ts';
import { findYamlFault } from '../base/yaml-fault.ts';
import { resolveYaml } from './resolve-yaml.ts';
import type { YamlValue } from './yaml-value.ts';

/** Helm takes no larger file into a chart. */
const maxLength = 5 * 1024 * 1024;
/** A file of 5 MiB can hold so many small values that reading it takes gigabytes; real ones are far below this. */
const maxLexemes = 1_000_000;
/** Shorter ones cannot hold too many. */
const harmlessLength = 100_000;

/** A text that was read. */
export interface YamlText {
  /** For messages. */
  readonly name: string;
  readonly text: string;
  readonly document: Document.Parsed;
  /** What it says; undefined where it is empty. */
  readonly root: YamlValue | undefined;
  /** The line of an offset, counted from 1. */
  lineAt(offset: number): number;
}

/**
 * Reads the text of `name`. Throws `TOO_LARGE` for more than 5 MiB, a million words or, with its aliases expanded, a
 * million values, and `INPUT_INVALID` with the line for what is not YAML or more than one document, which helm 3 and 4
 * read differently. No message holds a value: it may be a secret.
 */
export function parseYaml(text: string, name: string): YamlText {
  if (text.length > maxLength) throw tooLarge(name, 'it is larger than 5 MiB');
  if (text.length > harmlessLength && countLexemes(text) > maxLexemes) {
    throw tooLarge(name, `it holds more than ${maxLexemes} words and signs`);
  }
  refuseStrangeBreaks(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    keepSourceTokens: true,
    lineCounter: lines,
  });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const fault = findYamlFault(document, lines);
  if (fault) throw inputError(`${name}, line ${Math.max(1, fault.line)}: ${fault.reason}. Mend it there.`);
  const root = resolveYaml(document, (reason, offset) => inputError(`${name}, line ${lineAt(offset)}: ${reason}.`));
  return { name, text, document, root, lineAt };
}

/** To helm's reader each of these ends a line, and with it a comment; to newer ones, as the one here, some do not. */
const strangeBreak = /\r(?!\n)|[\u0085\u2028\u2029]/;

/** https://yaml.org/spec/1.1/#b-generic, https://yaml.org/spec/1.2.2/#54-line-break-characters */
function refuseStrangeBreaks(text: string, name: string): void {
  const found = strangeBreak.exec(text);
  if (!found) return;
  const [sign] = found;
  const what =
    sign === '\r'
      ? 'a carriage return stands without a line feed'
      : `the line break U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} stands there`;
  throw inputError(
    `${name}, line ${text.slice(0, found.index).split('\n').length}: ${what}, which YAML's readers understand differently. Remove it.`,
  );
}

function countLexemes(text: string): number {
  let count = 0;
  for (const _ of new Lexer().lex(text)) {
    count += 1;
    if (count > maxLexemes) break;
  }
  return count;
}

function tooLarge(name: string, why: string): AppError {
  return new AppError(`${name} is not read: ${why}.`, { code: 'TOO_LARGE' });
}
