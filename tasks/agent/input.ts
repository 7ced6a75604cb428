/** Reads the task's inputs; every error names the input. */

import { resolve } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import { tl } from './task-lib.ts';
import { readVariable } from './variables.ts';

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

/** The parts between commas, each once: what an input for several connections gives. Throws `INPUT_INVALID` for more than `most`. */
export function readList(name: string, most: number): string[] {
  const parts = readText(name)
    .split(',')
    .map(part => part.trim())
    .filter(Boolean);
  if (parts.length <= most) return [...new Set(parts)];
  throw inputError(`The input ${name} names ${parts.length}; ${most} are the most.`);
}

/** A path of an input that may be left empty; empty then. Of an empty path the agent makes the folder of the sources. */
export function readOptionalPath(name: string): string {
  const path = readText(name) && readPath(name);
  const roots = ['Build.SourcesDirectory', 'System.DefaultWorkingDirectory', 'Build.Repository.LocalPath'];
  const isEmpty = roots.some(root => {
    const folder = readVariable(root);
    return folder !== undefined && resolve(folder) === resolve(path);
  });
  return path === '' || isEmpty ? '' : path;
}

/** A whole number from `least` to `most`; `usual` where nothing was written. Throws `INPUT_INVALID`. */
export function readCount(name: string, usual: number, [least, most]: readonly [number, number]): number {
  const text = readText(name);
  const count = text ? Number(text) : usual;
  if (Number.isInteger(count) && count >= least && count <= most) return count;
  throw inputError(`The input ${name} is "${text.slice(0, 200)}"; it must be a whole number from ${least} to ${most}.`);
}
