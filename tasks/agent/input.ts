/** Reads the task's inputs; every error names the input. */

import { inputError } from '../../core/base/errors.ts';
import { tl } from './task-lib.ts';

/** What the user wrote, without white space around it; empty where nothing was written. */
export function readText(name: string): string {
  const text = (tl.getInput(name) ?? '').trim();
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (/\0/.test(text)) throw inputError(`The input ${name} holds a NUL character.`);
  return text;
}

/** Like {@link readText}. Throws `INPUT_INVALID` where it is empty. */
export function readRequiredText(name: string): string {
  const text = readText(name);
  if (text) return text;
  throw inputError(`The input ${name} is required.`);
}

/** The lines that are not empty. Throws `INPUT_INVALID` for more than `most`. */
export function readLines(name: string, most: number): string[] {
  const lines = readText(name)
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(Boolean);
  if (lines.length <= most) return lines;
  throw inputError(`The input ${name} has ${lines.length} lines; ${most} are the most.`);
}

/** One of `choices`; the first where nothing was written. */
export function readChoice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
  const text = readText(name);
  if (!text) return choices[0];
  const choice = choices.find(each => each === text);
  if (choice !== undefined) return choice;
  throw inputError(`The input ${name} is "${text.slice(0, 200)}"; it must be one of ${choices.join(', ')}.`);
}

/** `true` or `false`; `usual` where nothing was written. */
export function readSwitch(name: string, usual = false): boolean {
  const text = readText(name).toLowerCase();
  if (text === '') return usual;
  if (text === 'false') return false;
  if (text === 'true') return true;
  throw inputError(`The input ${name} is "${text.slice(0, 200)}"; it must be true or false.`);
}

/** A path. Throws `INPUT_INVALID` where it still holds a variable that the agent could not fill in. */
export function readPath(name: string): string {
  const text = readRequiredText(name);
  const macro = /\$\(([^)]*)\)/.exec(text);
  if (!macro) return text;
  throw inputError(`The input ${name} names the variable "${macro[1]}", which is not set in this run.`);
}
