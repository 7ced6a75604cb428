/** Modes `apply` and `plan-and-apply`: carries out the plan, and tells what became of it. */
import { AppError } from '../../core/base/errors.ts';
import { carryOut } from '../../core/lifecycle/cleaning/carry-out.ts';
import { type CleanPlan, makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../core/lifecycle/cleaning/clean-report.ts';
import { listLeaving } from '../../core/lifecycle/cleaning/leaving.ts';
import { agentLog } from '../agent/log.ts';
import { count } from '../agent/markdown.ts';
import type { Issues } from '../agent/run.ts';
import { showSummary } from '../agent/summary.ts';
import { describeSteps } from './approved-steps.ts';
import { groupKept, tellKept } from './kept-lines.ts';
import { type LetGo, listLetGo, tellLetGo } from './let-go.ts';
import { describeCounts, describeOutcome } from './outcome-page.ts';
import { setCounts } from './outputs.ts';
import { createProgress } from './progress.ts';
import type { Scene } from './scene.ts';
import { concludeCleaning, tellItem } from './verdict.ts';

/** Applies what a person approved. */
export async function applyApproved(scene: Scene, approved: CleanPlan): Promise<Issues | undefined> {
  const { look, job } = scene;
  return apply(scene, makeCleanPlan(look.facts, look.plan, job.configuration), approved);
}

/** Carries out the plan of this run, or the part of it that was approved. Throws `BRAKE` or `NOT_CLEANED`. */
export async function apply(scene: Scene, fresh: CleanPlan, approved?: CleanPlan): Promise<Issues | undefined> {
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
  const letGo = listLetGo(report.items, listLeaving(facts, plan));
  const steps = approved ? describeSteps(approved, { fresh, images: plan.images }, report) : tellNothing(fresh);
  if (steps !== '') agentLog.info(steps);
  tellReport(report, letGo);
  setCounts({ deletions: letGo.length, unread });
  const { hash } = approved ?? fresh;
  await showSummary(
    'Cleaned images',
    describeOutcome({ planHash: hash, isApproved: approved !== undefined, steps, report, letGo, unread }),
  );
  const issues = concludeCleaning(report, unread);
  agentLog.info(describeCounts(report, letGo));
  return issues;
}

/** Why a plan that nobody had to approve did nothing; empty where it had something to do. */
function tellNothing({ deletions, waiting }: CleanPlan): string {
  if (deletions.length > 0) return '';
  const waits = waiting.length === 1 ? 'waits' : 'wait';
  return waiting.length === 0
    ? 'Nothing was to go.'
    : `Nothing was to go yet: ${count(waiting.length, 'image')} ${waits} for the end of the grace.`;
}

/** The whole of it: whatever the page leaves out stands here. */
function tellReport({ items, failures, braked, stopped }: CleanReport, letGo: readonly LetGo[]): void {
  for (const each of letGo) agentLog.info(`${tellLetGo(each)}.`);
  for (const item of items) {
    if (!['released', 'deleted', 'kept'].includes(item.outcome)) agentLog.info(`${tellItem(item)}.`);
  }
  for (const line of groupKept(items)) agentLog.info(`${tellKept(line)}.`);
  for (const sentence of [...failures, ...braked, ...stopped]) agentLog.warn(sentence);
}
