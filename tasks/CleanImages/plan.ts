/** Mode `plan`, and the first half of `plan-and-apply`: what would go, as a file that a person approves. */
import { type CleanPlan, makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { agentLog } from '../agent/log.ts';
import { count, formatBytes } from '../agent/markdown.ts';
import { showSummary } from '../agent/summary.ts';
import { writeFiles } from './outputs.ts';
import { makeReport } from './report.ts';
import { describeScope, findDriftOf, type Scene } from './scene.ts';

/** Makes the plan, writes it with its report, and shows both. Nothing is changed. */
export async function makePlan(scene: Scene): Promise<CleanPlan> {
  const { job, look, answers, unread } = scene;
  const made = makeCleanPlan(look.facts, look.plan, job.configuration);
  const found = { drift: findDriftOf(scene), answers, partly: unread.some };
  const report = makeReport({ plan: made, ...found, scope: describeScope(scene) });
  await writeFiles(job.inputs, { plan: made, report: report.html });
  await showSummary('Plan to clean images', report.markdown);
  agentLog.info(describePlan(made));
  return made;
}

/** The plan in a line. */
function describePlan({ hash, deletions, waiting, kept }: CleanPlan): string {
  const deleted = deletions.filter(each => each.step === 'delete');
  const bytes = deleted.reduce((sum, { size }) => sum + size, 0);
  const parts = [
    `${count(deletions.length - deleted.length, 'image')} to untag`,
    `${deleted.length} to delete (${formatBytes(bytes)} at most)`,
    `${waiting.length} waiting for the grace`,
    `${kept.images} staying`,
  ];
  return `The plan ${hash.slice(0, 12)}: ${parts.join(', ')}.`;
}
