/** Sets values in the text of a YAML file, and changes nothing else of it: no comment, no order, no quotes, no line end. */
import { inputError } from '../base/errors.ts';
import { findSplice, type Piece, type Splice } from './splice.ts';
import { findStray } from './stray.ts';
import { toPlain, type Values } from './values.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';
import { findYaml } from './yaml-value.ts';

/** A value to set. Maps and keys on the way that are not there are added; an item of a list must be. */
export interface YamlEdit {
  readonly path: readonly string[];
  readonly value: string;
}

/** One value that was written. */
export interface YamlChange {
  /** Counted from 1, in the text as it was; of an added one, that of the key before it. */
  readonly line: number;
  readonly path: readonly string[];
  /** As it stood in the text; undefined where there was none. */
  readonly before: string | undefined;
  readonly after: string;
}

/**
 * The text of the file `name` with the edits in it, each value in double quotes, and what changed; a value that is there
 * in quotes already stays as it is. The result is read again, and every other value must be what it was: throws
 * `INPUT_INVALID` with path and line where an edit would change more, as through an anchor that others use, or finds no
 * place; and what `parseYaml` throws.
 */
export function setValues(
  text: string,
  edits: readonly YamlEdit[],
  name: string,
): { readonly text: string; readonly changes: readonly YamlChange[] } {
  const before = parseYaml(text, name);
  const wanted = checkEdits(edits, name);
  const changes = wanted.flatMap(edit => {
    const splice = findOrThrow(before, edit);
    return splice
      ? [{ line: before.lineAt(splice.offset), path: edit.path, before: splice.before, after: edit.value }]
      : [];
  });
  if (changes.length === 0) return { text, changes };
  let after = before;
  let open: readonly YamlEdit[] = wanted;
  // One edit may make the place of another, as two keys of a map that is missing; such a one waits for the next round.
  while (open.length > 0) {
    const round = spliceRound(after, open);
    after = parseAgain(round.text, name);
    open = round.waiting;
  }
  const stray = findStray(plainOf(before), plainOf(after), wanted);
  if (stray) throw strayError(before, wanted, stray);
  return { text: after.text, changes };
}

function strayError(yaml: YamlText, wanted: readonly YamlEdit[], stray: readonly string[]): Error {
  const line = yaml.lineAt(yaml.root ? findYaml(yaml.root, stray).offset : 0);
  return inputError(
    `${yaml.name}, line ${line}: "${stray.join('.')}" would not be what it has to be with ${nameEdits(wanted)} set, as where both use one anchor. Write the value itself where an alias or a merge stands.`,
  );
}

function plainOf({ root }: YamlText): Values {
  return root ? toPlain(root) : null;
}

function nameEdits(edits: readonly YamlEdit[]): string {
  const names = edits.slice(0, 3).map(each => `"${each.path.join('.')}"`);
  return edits.length > 3 ? `${names.join(', ')} and ${edits.length - 3} more` : names.join(' and ');
}

/** Edits without repetitions. */
function checkEdits(edits: readonly YamlEdit[], name: string): readonly YamlEdit[] {
  const wanted = new Map<string, YamlEdit>();
  for (const edit of edits) {
    const other = wanted.get(JSON.stringify(edit.path));
    if (other && other.value !== edit.value) {
      throw inputError(
        `${name}: two values are wanted at "${edit.path.join('.')}": "${other.value}" and "${edit.value}".`,
      );
    }
    wanted.set(JSON.stringify(edit.path), edit);
  }
  for (const { path } of wanted.values()) {
    for (let length = 1; length < path.length; length += 1) {
      if (!wanted.has(JSON.stringify(path.slice(0, length)))) continue;
      throw inputError(`${name}: a value is wanted at "${path.slice(0, length).join('.')}", and one below it.`);
    }
  }
  return [...wanted.values()];
}

function findOrThrow(yaml: YamlText, edit: YamlEdit): Splice | undefined {
  const splice = findSplice(yaml, edit.path, edit.value);
  if (!splice || 'pieces' in splice) return splice;
  throw inputError(
    `${yaml.name}, line ${yaml.lineAt(splice.offset)}: "${edit.path.join('.')}" cannot be set: ${splice.refused}. Mend it there.`,
  );
}

function spliceRound(yaml: YamlText, edits: readonly YamlEdit[]): { text: string; waiting: YamlEdit[] } {
  const pieces: Piece[] = [];
  const waiting: YamlEdit[] = [];
  for (const edit of edits) {
    const splice = findOrThrow(yaml, edit);
    const own = splice?.pieces ?? [];
    if (own.some(piece => pieces.some(each => meet(each, piece)))) waiting.push(edit);
    else pieces.push(...own);
  }
  pieces.sort((a, b) => b.start - a.start);
  let { text } = yaml;
  for (const piece of pieces) text = text.slice(0, piece.start) + piece.text + text.slice(piece.end);
  return { text, waiting };
}

function meet(a: Piece, b: Piece): boolean {
  return a.start === b.start || (a.start < b.end && b.start < a.end);
}

function parseAgain(text: string, name: string): YamlText {
  try {
    return parseYaml(text, name);
  } catch (cause) {
    throw inputError(
      `${name} cannot be edited: it would not be sound YAML behind it. Write its images in a plainer form.`,
      cause,
    );
  }
}
