/** Modes `apply` and `plan-and-apply`: carries out the plan, and tells what became of it. */
import { AppError } from '../../core/base/errors.ts';
import { describeAgreement } from '../../core/lifecycle/cleaning/agreement.ts';
import { carryOut } from '../../core/lifecycle/cleaning/carry-out.ts';
import { type CleanPlan, makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import { agentLog } from '../agent/log.ts';
import { count } from '../agent/markdown.ts';
import type { Issues } from '../agent/run.ts';
import { showSummary } from '../agent/summary.ts';
import { describeCounts, describeOutcome } from './outcome-page.ts';
import { setCounts } from './outputs.ts';
import { createProgress } from './progress.ts';
import type { Scene } from './scene.ts';
import { concludeCleaning, countOutcomes, tellItem } from './verdict.ts';

/** The log tells so many lines on what stays; the run's page and the tombstones have the rest. */
const mostKept = 200;

/** Applies what a person approved. */
export async function applyApproved(scene: Scene, approved: CleanPlan): Promise<Issues | undefined> {
  const { look, job } = scene;
  const fresh = makeCleanPlan(look.facts, look.plan, job.configuration);
  agentLog.info(describeAgreement(approved, fresh));
  return apply(scene, approved.hash, approved);
}

/** Carries out the plan of this run, or the part of it that was approved. Throws `BRAKE` or `NOT_CLEANED`. */
export async function apply(scene: Scene, planHash: string, approved?: CleanPlan): Promise<Issues | undefined> {
  const { job, estate, organizations, look, unread, isOver } = scene;
  if (isOver()) {
    throw new AppError(
      `Looking took all of the ${count(job.inputs.maxMinutes, 'minute')} of maxMinutes, so nothing was done. Raise it: every run begins by looking.`,
      { code: 'NOT_CLEANED' },
    );
  }
  const { configuration } = job;
  const { facts, plan } = look;
  const report = await carryOut(
    { ...estate, onProgress: createProgress(60, 95) },
    { configuration, organizations, facts, plan, approved, until: isOver },
  );
  tellReport(report);
  const { released, deleted } = countOutcomes(report);
  setCounts({ deletions: released + deleted, unread });
  const content = { planHash, isApproved: approved !== undefined, report, unread };
  await showSummary('Cleaned images', describeOutcome(content));
  const issues = concludeCleaning(report, unread);
  agentLog.info(describeCounts(report));
  return issues;
}

function tellReport({ items, failures, braked, stopped }: CleanReport): void {
  const changed = items.filter(({ outcome }) => outcome !== 'kept');
  const kept = items.filter(({ outcome }) => outcome === 'kept');
  for (const item of [...changed, ...kept.slice(0, mostKept)]) agentLog.info(`${tellItem(item)}.`);
  if (kept.length > mostKept) agentLog.info(`And ${kept.length - mostKept} more lines on what stays.`);
  for (const sentence of [...failures, ...braked, ...stopped]) agentLog.warn(sentence);
}
