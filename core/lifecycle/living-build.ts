/** Whether the build to promote still lives: what is deleted meanwhile is on its way out everywhere. */
import { getBuild } from '../azure-devops/builds.ts';
import type { AzureDevOps } from '../azure-devops/connection.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { BuildToPromote } from './promotable.ts';

/**
 * Makes a check that may be called again and again. Throws `BUILD_GONE` when Azure DevOps says that the build was
 * deleted or is not there. Where it says nothing that can be used, a warning is given once: nothing is deleted on it.
 */
export function watchBuild(azureDevOps: AzureDevOps, build: BuildToPromote, log: Logger): () => Promise<void> {
  let warned = false;
  return async () => {
    const answer = await getBuild(azureDevOps, build.projectId, build.buildId);
    if (answer.kind === 'alive') return;
    if (answer.kind === 'unknown') {
      if (!warned) log.warn(`Whether build ${build.buildId} still exists could not be seen: ${answer.reason}`);
      warned = true;
      return;
    }
    const what = answer.kind === 'deleted' ? 'was deleted' : 'does not exist (any more)';
    throw new AppError(
      `Build ${build.buildId} ${what}, so its images are on their way out and were not tagged here. Promote another build, or run it again.`,
      { code: 'BUILD_GONE' },
    );
  };
}
