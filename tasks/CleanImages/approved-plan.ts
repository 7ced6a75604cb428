/** The plan that a person approved, held against what it must be. */
import { inputError } from '../../core/base/errors.ts';
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
  const plan = parseCleanPlan(text, `The input planFile: ${file}`);
  if (hash && hash !== plan.hash) {
    throw inputError(
      `The input planHash is ${hash}, and ${file} is the plan ${plan.hash}. Only what a person approved is applied: hand over the file and the hash of one run.`,
    );
  }
  checkNames(file, 'registries', [plan.registries, configuration.registries.map(each => each.name)]);
  checkNames(file, 'organizations', [plan.organizations, configuration.organizations.map(each => each.url)]);
  if (!hash) {
    agentLog.warn(
      `The input planHash is empty, so nothing shows that ${plan.hash} is the plan that a person approved. Hand over the output variable planHash of the step that made it.`,
    );
  }
  return plan;
}

/** A plan tells images of one name apart by these: under another configuration they are other images. */
function checkNames(
  file: string,
  what: 'registries' | 'organizations',
  [planned, configured]: readonly [readonly string[], readonly string[]],
): void {
  const [of, now] = [planned, configured].map(names => [...new Set(names)].sort().join(', '));
  if (of === now) return;
  throw inputError(
    `The input planFile: ${file} is a plan of the ${what} ${of || '(none)'}, and the configuration names ${now}. Make the plan again, with this configuration.`,
  );
}
