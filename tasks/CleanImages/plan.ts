/** Mode `plan`, and the first half of `plan-and-apply`: what would go, as a file that a person approves. */
import { type CleanPlan, makeCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { listLeaving } from '../../core/lifecycle/cleaning/leaving.ts';
import type { Look } from '../../core/lifecycle/cleaning/look.ts';
import { agentLog } from '../agent/log.ts';
import { count, formatBytes } from '../agent/markdown.ts';
import { showSummary } from '../agent/summary.ts';
import { writeFiles } from './outputs.ts';
import { keyOfPlanned, type TakenTags } from './plan-summary.ts';
import { makeReport } from './report.ts';
import { describeScope, findDriftOf, type Scene } from './scene.ts';

/** Makes the plan, writes it with its report, and shows both. Nothing is changed. */
export async function makePlan(scene: Scene): Promise<CleanPlan> {
  const { job, look, answers, unread } = scene;
  const made = makeCleanPlan(look.facts, look.plan, job.configuration);
  const found = { drift: findDriftOf(scene), answers, partly: unread.some };
  const report = makeReport({
    plan: made,
    takenTags: listTakenTags(made, look),
    ...found,
    scope: describeScope(scene),
  });
  await writeFiles(job.inputs, { plan: made, report: report.html });
  await showSummary('Plan to clean images', report.markdown);
  agentLog.info(describePlan(made));
  return made;
}

/** Only what is to be deleted has none any more. */
function listTakenTags({ deletions }: CleanPlan, { facts, plan }: Look): TakenTags {
  if (!deletions.some(({ step }) => step === 'delete')) return new Map();
  const taken = listLeaving(facts, plan).leaving.flatMap(({ place: { home, image } }) => {
    const { registry, repository } = home;
    const { digest, takenTags = [] } = image;
    const key = keyOfPlanned({ registry, repository, digest });
    return takenTags.length > 0 ? [[key, [...new Set(takenTags)].sort()] as const] : [];
  });
  return new Map(taken);
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
