/** The end of the job: when it succeeded, the stage runs what was promoted, and older builds need not be held for it. */
import { letGoLeases } from '../../core/lifecycle/let-go-leases.ts';
import { connectAzureDevOps } from '../agent/azure-devops.ts';
import { agentLog } from '../agent/log.ts';
import { count } from '../agent/markdown.ts';
import { runTask } from '../agent/run.ts';
import { readTaskVariable, readVariable } from '../agent/variables.ts';
import { letGoVariable, readLetGo } from './hold.ts';

async function letGo(): Promise<void> {
  const left = readTaskVariable(letGoVariable);
  if (left === undefined) {
    agentLog.info(
      'This step held no build, or did not succeed, so it leaves nothing to let go. Older builds of its stage stay held.',
    );
    return;
  }
  const requests = readLetGo(left);
  // "SucceededWithIssues" may be a deployment that failed and was allowed to.
  const status = readVariable('Agent.JobStatus');
  if (status?.toLowerCase() !== 'succeeded') {
    agentLog.info(`The job's status is ${status ?? 'unknown'}, so older builds of this stage stay held, too.`);
    return;
  }
  const deps = { azureDevOps: connectAzureDevOps(), log: agentLog };
  for (const request of requests) {
    const { freed, kept, problem } = await letGoLeases(deps, request);
    agentLog.info(`Let ${count(freed.length, 'older lease')} of this stage go, and kept ${kept.length}.`);
    if (problem !== undefined) agentLog.warn(`Older builds of this stage stay held: ${problem}`);
  }
}

void runTask(letGo);
