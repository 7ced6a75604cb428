/** Who promotes: the pipeline or the classic release that runs this task, and its stage. */
import type { Promoter } from '../../core/lifecycle/build-record.ts';
import { readAttempt, readBuildUrl, readJob } from './build.ts';
import { type HostKind, readHostKind } from './host.ts';
import { readGuid, readId, readText, readVariable } from './variables.ts';

/** The run that deploys. It is not the build that made the images, unless both are one pipeline. */
export interface RunningPromoter extends Promoter {
  /** Ids of pipelines and of classic releases are counted apart. */
  readonly kind: HostKind;
  readonly job: string;
  /** `1.2`: attempts of the stage and of the job. Of a classic release, `2`. */
  readonly attempt: string;
}

/** Reads it from the variables that each kind has. Throws `INPUT_INVALID`. */
export function readPromoter(): RunningPromoter {
  const kind = readHostKind();
  const projectId = readGuid('System.TeamProjectId');
  if (kind === 'pipeline') {
    const runId = readId('Build.BuildId');
    return {
      kind,
      projectId,
      definitionId: readId('System.DefinitionId'),
      runId,
      stage: readText('System.StageName'),
      job: readJob(),
      attempt: readAttempt(),
      url: readBuildUrl({ id: runId }),
    };
  }
  // System.DefinitionId and Build.* are other things here: https://learn.microsoft.com/azure/devops/pipelines/release/variables
  const url = readVariable('Release.ReleaseWebURL');
  return {
    kind,
    projectId,
    definitionId: readId('Release.DefinitionId'),
    runId: readId('Release.ReleaseId'),
    stage: readText('Release.EnvironmentName'),
    job: readText('Agent.JobName'),
    attempt: readText('Release.AttemptNumber') || '1',
    url: url !== undefined && /^https?:/.test(url) && url.length <= 1024 && URL.canParse(url) ? url : undefined,
  };
}
