/** The agent's variables. https://learn.microsoft.com/azure/devops/pipelines/build/variables */

import { inputError } from '../../core/base/errors.ts';
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

/** Hands an output variable to the steps, jobs and stages that follow. */
export function setOutput(name: string, value: string): void {
  tl.setVariable(name, value, false, true);
}
