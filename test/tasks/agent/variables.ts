/** Variables of an agent for a test in this process, under the names that an agent gives them. */
import { createRequire } from 'node:module';

/** Variables by name, as in `Build.BuildId`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What task-lib read from VSTS_PUBLIC_VARIABLES when it was loaded: it offers no way of forgetting a name. */
const { _knownVariableMap: names } = createRequire(import.meta.url)('azure-pipelines-task-lib/internal.js') as {
  _knownVariableMap: Record<string, { name: string; secret: boolean }>;
};
const set = new Set<string>();
// oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
const write = process.stdout.write;

/** Makes `variables` the only ones that a task sees. What task-lib says when they are read, is not shown. */
export function setVariables(variables: Variables): void {
  forgetVariables();
  process.stdout.write = (...args: unknown[]): boolean =>
    String(args[0]).startsWith('##vso[task.debug]') || Boolean(Reflect.apply(write, process.stdout, args));
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) continue;
    // https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Test/L0/Util/VarUtilL0.cs
    const key = name.replace(/[. ]/g, '_').toUpperCase();
    names[key] = { name, secret: false };
    process.env[key] = value;
    set.add(key);
  }
}

/** Takes them away again. */
export function forgetVariables(): void {
  process.stdout.write = write;
  for (const key of set) {
    delete names[key];
    delete process.env[key];
  }
  set.clear();
}

/** A deployment job of a YAML pipeline. */
export const pipelineVariables: Variables = {
  'Build.BuildId': '900',
  'Build.BuildNumber': '20261124.3',
  'Build.Repository.Name': 'contoso/deploy',
  'Build.SourceBranch': 'refs/heads/main',
  'Build.SourceVersion': 'f'.repeat(40),
  'System.CollectionId': '0A5A7F21-1B5C-4E6D-8F90-A1B2C3D4E5F6',
  'System.CollectionUri': 'https://dev.azure.com/contoso/',
  'System.DefinitionId': '77',
  'System.HostType': 'build',
  'System.JobAttempt': '1',
  'System.JobName': '__default',
  'System.PhaseName': 'deploy',
  'System.StageAttempt': '2',
  'System.StageName': 'Production',
  'System.TeamFoundationServerUri': 'https://dev.azure.com/contoso/',
  'System.TeamProject': 'Web Shop',
  'System.TeamProjectId': '6CE954B1-CE1F-45D1-B94D-E6BF2464BA2C',
};

/** A job of a classic release whose primary artifact is build 4711. `Build.*` are the primary artifact's. */
export const releaseVariables: Variables = {
  'Agent.JobName': 'Agent job',
  'Build.BuildId': '4711',
  'Build.BuildNumber': '20261123.1',
  'Build.DefinitionId': '12',
  'Build.SourceBranch': 'refs/heads/main',
  'Build.SourceVersion': 'a'.repeat(40),
  'Release.AttemptNumber': '3',
  'Release.DefinitionId': '4',
  'Release.EnvironmentName': 'EU: Production',
  'Release.ReleaseId': '392',
  'Release.ReleaseName': 'Release-47',
  'Release.ReleaseWebURL': 'https://dev.azure.com/contoso/6ce954b1/_release?releaseId=392&_a=release-summary',
  'System.CollectionId': '0A5A7F21-1B5C-4E6D-8F90-A1B2C3D4E5F6',
  'System.CollectionUri': 'https://dev.azure.com/contoso/',
  'System.DefinitionId': '4',
  'System.HostType': 'release',
  'System.TeamFoundationCollectionUri': 'https://dev.azure.com/contoso/',
  'System.TeamFoundationServerUri': 'https://vsrm.dev.azure.com/contoso/',
  'System.TeamProject': 'Web Shop',
  'System.TeamProjectId': '6CE954B1-CE1F-45D1-B94D-E6BF2464BA2C',
};

/** The variables of an artifact that is a build. */
export function artifactVariables(alias: string, build: { id: number; definitionId: number }): Variables {
  const of = (name: string): string => `Release.Artifacts.${alias}.${name}`;
  return {
    [of('BuildId')]: String(build.id),
    [of('BuildNumber')]: `number of ${build.id}`,
    [of('DefinitionId')]: String(build.definitionId),
    [of('SourceBranch')]: `refs/heads/of-${build.id}`,
    [of('SourceVersion')]: 'b'.repeat(40),
    [of('Type')]: 'Build',
  };
}

/** The variables of a pipeline resource. */
export function resourceVariables(
  alias: string,
  build: { id: number; definitionId: number; projectId: string },
): Variables {
  const of = (name: string): string => `resources.pipeline.${alias}.${name}`;
  return {
    [of('projectID')]: build.projectId,
    [of('pipelineName')]: `ci of ${alias}`,
    [of('pipelineID')]: String(build.definitionId),
    [of('runName')]: `number of ${build.id}`,
    [of('runID')]: String(build.id),
    [of('runURI')]: `vstfs:///Build/Build/${build.id}`,
    [of('sourceBranch')]: 'refs/heads/release/1',
    [of('sourceCommit')]: 'c'.repeat(40),
    [of('sourceProvider')]: 'TfsGit',
    [of('requestedFor')]: 'Ada Builder',
  };
}
