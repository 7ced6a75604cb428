/** What became of the steps that a person approved, for people. Pure. */
import { type Agreement, compareSteps } from '../../core/lifecycle/cleaning/agreement.ts';
import type { CleanPlan, PlannedDeletion } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import type { KeepPlan } from '../../core/lifecycle/keep-policy/keep-plan.ts';

/** What was found when the approved plan was applied. */
export interface FreshLook {
  readonly fresh: CleanPlan;
  /** Every image that is there. */
  readonly images: KeepPlan['images'];
}

/** How many of them were done, and why the others were not: sentences. */
export function describeSteps(approved: CleanPlan, { fresh, images }: FreshLook, report: CleanReport): string {
  const agreement = compareSteps(approved, fresh);
  const { lost, added } = agreement;
  return [
    tellDone(agreement, report),
    ...tellBefore(lost, { fresh, images }),
    ...(added > 0
      ? [
          `${added} more of the fresh plan ${added === 1 ? 'was' : 'were'} not approved and ${added === 1 ? 'stays' : 'stay'}.`,
        ]
      : []),
  ].join(' ');
}

function tellDone({ both, lost }: Agreement, report: CleanReport): string {
  const [still, all] = [both.length, both.length + lost.length];
  if (all === 0) return 'No step was approved.';
  const them = lost.length === 1 ? 'it' : 'them';
  if (still === 0) {
    return `${all === 1 ? 'The approved step is not' : `None of the ${all} approved steps is`} done, because a fresh plan no longer has ${them}.`;
  }
  const done = isDone(both, report)
    ? 'done'
    : 'in a fresh plan as well, and what of that could not be done is told below';
  if (lost.length === 0) return all === 1 ? `The approved step is ${done}.` : `All ${all} approved steps are ${done}.`;
  const [are, others] = [still, lost.length].map(amount => (amount === 1 ? 'is' : 'are'));
  return `${still} of the ${all} approved steps ${are} ${done}; ${lost.length} ${others} not, because a fresh plan no longer has ${them}.`;
}

/** Whether nothing in the report speaks against it: what was asked again in the last moment may have stayed. */
function isDone(steps: readonly PlannedDeletion[], { items, failures, braked, stopped }: CleanReport): boolean {
  if (failures.length + braked.length + stopped.length > 0) return false;
  if (items.some(({ outcome }) => outcome === 'failed')) return false;
  const held = new Set(
    items.flatMap(({ registry, subject, outcome }) =>
      outcome === 'kept' || outcome === 'restored' ? `${registry} ${subject}` : [],
    ),
  );
  return !steps.some(({ registry, repository, digest, tags }) => {
    const names = [`@${digest}`, ...tags.map(tag => `:${tag}`)];
    return names.some(name => held.has(`${registry} ${repository}${name}`));
  });
}

/** What is not there may have been deleted by whomever, or stand where nobody looks any more: it is not called done. */
function tellBefore(lost: readonly PlannedDeletion[], { fresh, images }: FreshLook): string[] {
  if (lost.length === 0) return [];
  const released = new Set([...fresh.waiting, ...fresh.deletions.filter(({ step }) => step === 'delete')].map(keyOf));
  const there = new Set(images.map(keyOf));
  const before = lost.filter(each => each.step === 'untag' && released.has(keyOf(each))).length;
  const absent = lost.filter(each => !there.has(keyOf(each))).length;
  const parts = [
    ...(before > 0 ? [`${before} lost ${before === 1 ? 'its' : 'their'} tags before`] : []),
    ...(absent > 0 ? [`${absent} ${absent === 1 ? 'is' : 'are'} no longer among what was looked at`] : []),
  ];
  return parts.length > 0 ? [`Of these, ${parts.join(', and ')}.`] : [];
}

function keyOf({ registry, repository, digest }: Pick<PlannedDeletion, 'registry' | 'repository' | 'digest'>): string {
  return `${registry} ${repository}@${digest}`;
}
