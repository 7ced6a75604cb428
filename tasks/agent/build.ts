/** Which build this is, by the agent's variables. */
import { AppError, inputError } from '../../core/base/errors.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { readRequiredVariable, readVariable } from './variables.ts';

/** What a record keeps of a text at most; a branch name has 250 characters, so this cuts nothing in earnest. */
const longest = 1024;

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
    organization: readText('System.CollectionUri') || readText('System.TeamFoundationCollectionUri'),
    projectId: readGuid('System.TeamProjectId'),
    definitionId: readNumber('System.DefinitionId'),
    id: readNumber('Build.BuildId'),
    number: readText('Build.BuildNumber'),
    repository: readText('Build.Repository.Name'),
    branch: readText('Build.SourceBranch'),
    commit: readText('Build.SourceVersion'),
    stage: readText('System.StageName'),
    job: [readText('System.PhaseName'), readText('System.JobName')].filter(isNamed).join('.'),
    attempt: `${readText('System.StageAttempt') || '1'}.${readText('System.JobAttempt') || '1'}`,
  };
}

/** The page of the build, for people; undefined where the agent does not say where its server is. */
export function readBuildUrl(build: BuildIdentity): string | undefined {
  const project = readVariable('System.TeamProject');
  const collection = readVariable('System.CollectionUri');
  if (!project || !collection || !URL.canParse(collection)) return undefined;
  return new URL(
    `${encodeURIComponent(project)}/_build/results?buildId=${build.id}`,
    collection.endsWith('/') ? collection : `${collection}/`,
  ).toString();
}

function readText(name: string): string {
  return (readVariable(name) ?? '').slice(0, longest);
}

/** A job without a matrix is called `__default`. */
function isNamed(name: string): boolean {
  return name !== '' && name !== '__default';
}

function readGuid(name: string): string {
  const text = readRequiredVariable(name).toLowerCase();
  if (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return text;
  throw new AppError(`The variable ${name} is not a GUID.`, { code: 'INPUT_INVALID' });
}

function readNumber(name: string): number {
  const text = readRequiredVariable(name);
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new AppError(`The variable ${name} is not a number.`, { code: 'INPUT_INVALID' });
}
