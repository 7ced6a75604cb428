/** An approved plan beside what it must agree with: the configuration, and what is to be done now. Pure. */
import { inputError } from '../../base/errors.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { type CleanPlan, listHosts, type PlannedDeletion } from './clean-plan.ts';

/**
 * Checks that a plan is one of this configuration: it tells images of one name apart by registries and organizations, and
 * under others, or where a name is that of another host, they are other images. `name` is what the message calls the
 * plan. Throws `INPUT_INVALID`.
 */
export function checkScope(
  plan: Pick<CleanPlan, 'registries' | 'organizations'>,
  configuration: Pick<Configuration, 'registries' | 'organizations'>,
  name: string,
): void {
  const { registries, organizations } = configuration;
  checkNames(
    plan.registries.map(showRegistry),
    listHosts(registries).map(showRegistry),
    `${name} is a plan of the registries`,
  );
  checkNames(
    plan.organizations,
    organizations.map(each => each.url),
    `${name} is a plan of the organizations`,
  );
}

function checkNames(planned: readonly string[], configured: readonly string[], beginning: string): void {
  const [of = '', now = ''] = [planned, configured].map(names => [...new Set(names)].sort().join(', '));
  if (of === now) return;
  throw inputError(
    `${beginning} ${of || '(none)'}, and the configuration names ${now}. Make the plan again, with this configuration.`,
  );
}

function showRegistry({ name, host }: CleanPlan['registries'][number]): string {
  return name === host ? host : `${name} (${host})`;
}

/** An approved plan beside a fresh one. */
export interface Agreement {
  /** The steps that stand in both, as the fresh plan has them. */
  readonly both: readonly PlannedDeletion[];
  /** Steps that were approved, and that the fresh plan no longer has. */
  readonly lost: readonly PlannedDeletion[];
  /** How many steps of the fresh plan nobody approved. */
  readonly added: number;
}

/** Compares two plans step by step: what does not stand in both is not done. */
export function compareSteps(approved: CleanPlan, fresh: CleanPlan): Agreement {
  const [was, is] = [keysOf(approved), keysOf(fresh)];
  const both = fresh.deletions.filter(each => was.has(keyOf(each)));
  const lost = approved.deletions.filter(each => !is.has(keyOf(each)));
  return { both, lost, added: fresh.deletions.length - both.length };
}

/** How much of what was approved is still to be done, and how much more would be: a sentence, as neither of the rest is done. */
export function describeAgreement(approved: CleanPlan, fresh: CleanPlan): string {
  const { both, added } = compareSteps(approved, fresh);
  const [still, all] = [both.length, approved.deletions.length];
  return `${still} of ${all} approved ${all === 1 ? 'step' : 'steps'} ${still === 1 ? 'is' : 'are'} in a fresh plan as well; ${added} of the fresh plan nobody approved.`;
}

function keysOf({ deletions }: CleanPlan): Set<string> {
  return new Set(deletions.map(keyOf));
}

function keyOf({ registry, repository, digest, step }: PlannedDeletion): string {
  return `${registry} ${repository} ${digest} ${step}`;
}
