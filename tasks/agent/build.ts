/** Which build this is, by the agent's variables. */
import { inputError } from '../../core/base/errors.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { readGuid, readId, readText, readVariable } from './variables.ts';

/** The build that runs this task. Throws `INPUT_INVALID` in a classic release, whose build is another run's. */
export function readBuild(): BuildIdentity {
  const host = readVariable('System.HostType') ?? 'build';
  if (host !== 'build') {
    throw inputError(
      `This task belongs into the build that made the images, and this is a ${host}. Move it into the build pipeline, after the step that pushes.`,
    );
  }
  return {
    collectionId: readGuid('System.CollectionId'),
    organization: readOrganization(),
    projectId: readGuid('System.TeamProjectId'),
    definitionId: readId('System.DefinitionId'),
    id: readId('Build.BuildId'),
    number: readText('Build.BuildNumber'),
    repository: readGitRepository(),
    branch: readText('Build.SourceBranch'),
    commit: readText('Build.SourceVersion'),
    stage: readText('System.StageName'),
    job: readJob(),
    attempt: readAttempt(),
  };
}

/**
 * The URL of the git repository that the build was made from, without the user, password and query that an agent may have
 * in it; its name where that is no URL. Whoever asks for its branches later has to find it.
 */
export function readGitRepository(): string {
  const uri = readVariable('Build.Repository.Uri') ?? '';
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const place = url?.protocol === 'https:' || url?.protocol === 'http:' ? `${url.origin}${url.pathname}` : '';
  return place !== '' && place.length <= 1024 ? place : readText('Build.Repository.Name');
}

/** The address of the organization or the collection; empty where the agent does not say it. */
export function readOrganization(): string {
  return readText('System.CollectionUri') || readText('System.TeamFoundationCollectionUri');
}

/** The job of a pipeline that runs this task, with its part of a matrix. */
export function readJob(): string {
  return [readText('System.PhaseName'), readText('System.JobName')].filter(isNamed).join('.');
}

/** The attempts of the stage and of the job, as in `1.2`. */
export function readAttempt(): string {
  return `${readText('System.StageAttempt') || '1'}.${readText('System.JobAttempt') || '1'}`;
}

/** The page of the build, for people; undefined where the agent does not say where its server is. */
export function readBuildUrl(build: Pick<BuildIdentity, 'id'>): string | undefined {
  const project = readVariable('System.TeamProject');
  const collection = readVariable('System.CollectionUri');
  if (!project || !collection || !URL.canParse(collection)) return undefined;
  return new URL(
    `${encodeURIComponent(project)}/_build/results?buildId=${build.id}`,
    collection.endsWith('/') ? collection : `${collection}/`,
  ).toString();
}

/** A job without a matrix is called `__default`. */
function isNamed(name: string): boolean {
  return name !== '' && name !== '__default';
}
