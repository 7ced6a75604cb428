/** The end of the job: when it succeeded, the stage runs what was promoted, and older builds need not be held for it. */
import { letGoLeases } from '../../core/lifecycle/let-go-leases.ts';
import { connectAzureDevOps } from '../agent/azure-devops.ts';
import { agentLog } from '../agent/log.ts';
import { runTask } from '../agent/run.ts';
import { readTaskVariable, readVariable } from '../agent/variables.ts';
import { letGoVariable, readLetGo } from './hold.ts';

async function letGo(): Promise<void> {
  const left = readTaskVariable(letGoVariable);
  if (left === undefined) {
    agentLog.info('No build was held by this step, so there is nothing to let go.');
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
    agentLog.info(`Let ${freed.length} older leases of this stage go; ${kept.length} are held.`);
    if (problem !== undefined) agentLog.warn(`Older builds of this stage stay held: ${problem}`);
  }
}

void runTask(letGo);
