/** CleanImages: deletes the images of builds that are gone, and keeps what anything needs. */
import { systemClock } from '../../core/base/clock.ts';
import { lookAtEstate } from '../../core/lifecycle/cleaning/look.ts';
import { toPlanRules } from '../../core/lifecycle/configuration/plan-rules.ts';
import { createHttp, type Http } from '../../core/oci/http.ts';
import { agentLog, showProgress } from '../agent/log.ts';
import { createDispatcher } from '../agent/proxy.ts';
import { type Issues, runTask } from '../agent/run.ts';
import { apply, applyApproved } from './apply.ts';
import { audit } from './audit.ts';
import { openEstate } from './estate.ts';
import { setCounts } from './outputs.ts';
import { makePlan } from './plan.ts';
import { prepare } from './prepare.ts';
import { createProgress } from './progress.ts';
import { type Scene, startTimer, tellUnread } from './scene.ts';
import { concludeLook } from './verdict.ts';
import { answerWhy } from './why.ts';

async function cleanImages(http: Http): Promise<Issues | undefined> {
  const job = await prepare(http);
  const isOver = startTimer(job.inputs.maxMinutes, systemClock);
  showProgress(1, 'Signing in');
  const isLooking = job.inputs.mode === 'audit' || job.inputs.mode === 'plan';
  const opened = await openEstate(job, createProgress(2, isLooking ? 95 : 60));
  const rules = toPlanRules(job.configuration, opened.organizations);
  const look = await lookAtEstate(opened.estate, rules, opened.organizations, {
    withInventory: job.inputs.mode === 'audit',
  });
  const answers = answerWhy({ ...opened, job, look });
  const scene: Scene = { ...opened, job, look, answers, unread: tellUnread(look), isOver };
  const issues = await conclude(scene);
  showProgress(100, 'Done');
  return issues;
}

async function conclude(scene: Scene): Promise<Issues | undefined> {
  const { job, unread } = scene;
  if (job.approved) return applyApproved(scene, job.approved);
  if (job.inputs.mode === 'audit') {
    await audit(scene);
    return concludeLook(unread);
  }
  const plan = await makePlan(scene);
  if (job.inputs.mode === 'plan-and-apply') return apply(scene, plan);
  setCounts({ deletions: plan.deletions.length, unread });
  return concludeLook(unread);
}

void runTask(async () => {
  const http = createHttp({ dispatcher: createDispatcher(), log: agentLog });
  const issues = await cleanImages(http);
  await http.close();
  return issues;
});
