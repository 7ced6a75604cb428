/** The agent's variables. https://learn.microsoft.com/azure/devops/pipelines/build/variables */

import { inputError } from '../../core/base/errors.ts';
import { quietly } from './output.ts';
import { tl } from './task-lib.ts';

/** A variable that is not a secret; undefined where it is not set. */
export function readVariable(name: string): string | undefined {
  return tl.getVariable(name) || undefined;
}

/** A variable that every run has. Throws `INPUT_INVALID` where it is not set. */
export function readRequiredVariable(name: string): string {
  const value = readVariable(name);
  if (value) return value;
  throw inputError(`The variable ${name} is not set. Does this run on an Azure Pipelines agent?`);
}

/** What a record keeps of a text at most; a branch name has 250 characters, so this cuts nothing in earnest. */
const longest = 1024;

/** A variable as a text of at most 1024 characters; empty where it is not set. */
export function readText(name: string): string {
  return (readVariable(name) ?? '').slice(0, longest);
}

/** A variable that is a GUID, in lower case. Throws `INPUT_INVALID`. */
export function readGuid(name: string): string {
  const text = readRequiredVariable(name).toLowerCase();
  if (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return text;
  throw inputError(`The variable ${name} is not a GUID.`);
}

/** A variable that is the id of a build, a definition or a release. Throws `INPUT_INVALID`. */
export function readId(name: string): number {
  const text = readRequiredVariable(name);
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw inputError(`The variable ${name} is not a number.`);
}

/** The names of all variables, as they were written and not as the environment has them. */
export function listVariables(): string[] {
  return quietly(() => tl.getVariables()).map(({ name }) => name);
}

/** Hands an output variable to the steps, jobs and stages that follow. */
export function setOutput(name: string, value: string): void {
  tl.setVariable(name, value, false, true);
}

/** Leaves a value for this same task at the end of the job. */
export function setTaskVariable(name: string, value: string): void {
  tl.setTaskVariable(name, value);
}

/** What this same task left earlier in the job; undefined where that is nothing. */
export function readTaskVariable(name: string): string | undefined {
  return tl.getTaskVariable(name) || undefined;
}
