/** The files and the output variables of a step. */
import { type CleanPlan, formatCleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import { publishFolder } from '../agent/artifact.ts';
import { writeWhole } from '../agent/files.ts';
import { agentLog } from '../agent/log.ts';
import { setOutput } from '../agent/variables.ts';
import type { CleanImagesInputs } from './inputs.ts';

/** What a step writes. */
export interface Written {
  /** Undefined for an audit, which plans nothing that anybody could approve. */
  readonly plan?: CleanPlan;
  /** HTML. */
  readonly report: string;
}

/** Writes plan.json and report.html, publishes their folder, and sets `planHash`, `planFile` and `reportFile`. */
export async function writeFiles(inputs: CleanImagesInputs, { plan, report }: Written): Promise<void> {
  const { outputDirectory, artifact } = inputs;
  if (plan) {
    const path = await writeWhole(outputDirectory, 'plan.json', formatCleanPlan(plan));
    setOutput('planFile', path);
    setOutput('planHash', plan.hash);
    agentLog.info(`Wrote ${path}, the plan ${plan.hash}.`);
  }
  const path = await writeWhole(outputDirectory, 'report.html', report);
  setOutput('reportFile', path);
  agentLog.info(`Wrote ${path}.`);
  if (artifact !== undefined) publishFolder(artifact, outputDirectory);
}

/** Sets `unread`, and `deletions` but for an audit. */
export function setCounts({ deletions, unread }: { readonly deletions?: number; readonly unread: NotRead }): void {
  if (deletions !== undefined) setOutput('deletions', String(deletions));
  setOutput('unread', String(unread.everything.length + unread.some.length));
}
