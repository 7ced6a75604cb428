/** The plan that a person approved, held against what it must be. */
import { inputError } from '../../core/base/errors.ts';
import { checkScope } from '../../core/lifecycle/cleaning/agreement.ts';
import { type CleanPlan, maxPlanCharacters, parseCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { Configuration } from '../../core/lifecycle/configuration/configuration.ts';
import { readTextFile } from '../agent/files.ts';
import { agentLog } from '../agent/log.ts';
import type { ApprovedInputs } from './inputs.ts';

/**
 * Reads the file. Throws `INPUT_INVALID` for what is no plan or was changed, for another plan than the one of the hash,
 * and for one that was made of another configuration.
 */
export async function readApprovedPlan(
  { file, hash }: ApprovedInputs,
  configuration: Configuration,
): Promise<CleanPlan> {
  // A character has at most three bytes in UTF-8, and nearly all of a plan's have one.
  const text = await readTextFile(file, 'planFile', 3 * maxPlanCharacters);
  const name = `The input planFile: ${file}`;
  const plan = parseCleanPlan(text, name);
  if (hash && hash !== plan.hash) {
    throw inputError(
      `The input planHash is ${hash}, and ${file} is the plan ${plan.hash}. Only what a person approved is applied: hand over the file and the hash of one run.`,
    );
  }
  checkScope(plan, configuration, name);
  if (!hash) {
    agentLog.warn(
      `The input planHash is empty, so nothing shows that ${plan.hash} is the plan that a person approved. Hand over the output variable planHash of the step that made it.`,
    );
  }
  return plan;
}
