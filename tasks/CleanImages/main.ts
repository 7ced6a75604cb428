/** CleanImages: deletes the images of builds that are gone, and keeps what anything needs. */
import { createHttp } from '../../core/oci/http.ts';
import { agentLog } from '../agent/log.ts';
import { createDispatcher } from '../agent/proxy.ts';
import { runTask } from '../agent/run.ts';
import { prepare } from './prepare.ts';

void runTask(async () => {
  const http = createHttp({ dispatcher: createDispatcher(), log: agentLog });
  const job = await prepare(http);
  agentLog.info(job.inputs.mode);
  await http.close();
});
