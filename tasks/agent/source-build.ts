/**
 * Which build the images come from. Only what was chosen is looked at, and nothing is guessed: `Build.BuildId` is the
 * deploying run where a pipeline deploys another one's build, and in a classic release the primary artifact's.
 */
import type { AzureDevOps } from '../../core/azure-devops/connection.ts';
import { getRelease, type ReleaseArtifact, sameAlias } from '../../core/azure-devops/releases.ts';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { connectReleases } from './azure-devops.ts';
import { readBuild, readOrganization } from './build.ts';
import { readHostKind } from './host.ts';
import { listVariables, readGuid, readId, readText, readVariable } from './variables.ts';

/** What the user chose. Aliases that were not named are empty. */
export interface BuildChoice {
  /** `images` and `archive` say no build: it is the one that an alias names, or else this run. */
  readonly source: 'currentRun' | 'pipelineResource' | 'releaseArtifact' | 'images' | 'archive';
  /** The alias of a `resources.pipelines` entry of a YAML pipeline. */
  readonly pipelineResource: string;
  /** The aliases of artifacts of a classic release. */
  readonly releaseArtifacts: readonly string[];
}

/**
 * Finds the builds, each once. What the variables do not say of a build, such as its job, is empty. Throws
 * `INPUT_INVALID`, with the aliases that there are, and `AZURE_DEVOPS_UNAVAILABLE` where the release cannot be read.
 */
export async function readSourceBuilds(
  choice: BuildChoice,
  connect: () => AzureDevOps = connectReleases,
): Promise<readonly BuildIdentity[]> {
  const isRelease = readHostKind() === 'release';
  const place = choosePlace(choice);
  if (place === 'releaseArtifact') {
    if (isRelease) return readArtifacts(choice, connect());
    throw inputError(
      'Artifacts of a release were asked for, but this is no classic release. Set source to pipelineResource, or to currentRun where this pipeline built the images.',
    );
  }
  if (isRelease) {
    throw inputError(
      `source is ${choice.source}, but this is a classic release, which builds nothing and has no pipeline resources. Name the artifact in releaseArtifacts; source is releaseArtifact where its recorded images are meant. ${tell('artifacts', listAliases(artifactAlias))}`,
    );
  }
  return [place === 'currentRun' ? readBuild() : readPipelineResource(choice.pipelineResource)];
}

function choosePlace({ source, pipelineResource, releaseArtifacts }: BuildChoice) {
  if (source !== 'images' && source !== 'archive') return source;
  if (pipelineResource && releaseArtifacts.length > 0) {
    throw inputError('The inputs pipelineResource and releaseArtifacts name two builds. Leave one of them empty.');
  }
  if (pipelineResource) return 'pipelineResource';
  return releaseArtifacts.length > 0 ? 'releaseArtifact' : 'currentRun';
}

const resourceAlias = /^resources\.pipeline\.(.+)\.runid$/i;
const artifactAlias = /^release\.artifacts\.(.+)\.definitionid$/i;

function listAliases(pattern: RegExp): string[] {
  return listVariables().flatMap(name => pattern.exec(name)?.[1] ?? []);
}

/** https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/resources-pipelines-pipeline#pipeline-resource-metadata-as-predefined-variables */
function readPipelineResource(alias: string): BuildIdentity {
  const aliases = listAliases(resourceAlias);
  const found = aliases.find(each => sameAlias(each, alias));
  if (found === undefined) {
    throw inputError(
      `This run has no pipeline resource ${quote(alias)}. ${tell('pipeline resources', aliases)} Declare it under resources.pipelines; Build.BuildId is this run, and not the one that built.`,
    );
  }
  const name = (of: string): string => `resources.pipeline.${found}.${of}`;
  return identify({
    projectId: readGuid(name('projectID')),
    definitionId: readId(name('pipelineID')),
    id: readId(name('runID')),
    number: readText(name('runName')),
    branch: readText(name('sourceBranch')),
    commit: readText(name('sourceCommit')),
  });
}

/** Variables name no project, and an artifact may be of another one: so the release itself is asked. */
async function readArtifacts(choice: BuildChoice, ado: AzureDevOps): Promise<BuildIdentity[]> {
  const { source, releaseArtifacts: aliases } = choice;
  const answer = await getRelease(ado, readGuid('System.TeamProjectId'), readId('Release.ReleaseId'));
  if (answer.kind === 'unknown') throw new AppError(answer.reason, { code: 'AZURE_DEVOPS_UNAVAILABLE' });
  const { artifacts } = answer.release;
  const candidates = artifacts.flatMap(artifact => (artifact.build ? [artifact.alias] : []));
  if (aliases.length === 0) {
    throw inputError(`source is releaseArtifact, but releaseArtifacts names none. ${tell('builds', candidates)}`);
  }
  const builds = new Map<number, BuildIdentity>();
  for (const alias of aliases) {
    const artifact = artifacts.find(each => sameAlias(each.alias, alias));
    if (artifact?.build === undefined) {
      const what = artifact
        ? `The artifact ${quote(alias)} of this release is of the type ${quote(artifact.type)}, and no build of this organization`
        : `This release has no artifact ${quote(alias)}`;
      throw inputError(`${what}. ${tell('builds', candidates)}`);
    }
    const build = readArtifact(artifact, artifact.build);
    builds.set(build.id, build);
  }
  if (source === 'releaseArtifact' || builds.size === 1) return [...builds.values()];
  throw inputError(`source is ${source}, whose images belong to one build. Name one artifact in releaseArtifacts.`);
}

/** https://learn.microsoft.com/azure/devops/pipelines/release/variables#general-artifact-variables */
function readArtifact({ alias }: ReleaseArtifact, build: NonNullable<ReleaseArtifact['build']>): BuildIdentity {
  const name = (of: string): string => `Release.Artifacts.${alias}.${of}`;
  const { projectId, definitionId, buildId: id, number } = build;
  for (const [of, said] of Object.entries({ BuildId: id, DefinitionId: definitionId })) {
    const here = readVariable(name(of));
    if (here === undefined || here === String(said)) continue;
    throw inputError(
      `The artifact ${quote(alias)} is the build ${id} of pipeline ${definitionId} by the release, but ${name(of)} is ${quote(here)} here. Nothing was guessed. Give the artifact an alias that differs from the others in more than punctuation.`,
    );
  }
  const [branch, commit] = [readText(name('SourceBranch')), readText(name('SourceVersion'))];
  return identify({ projectId, definitionId, id, number, branch, commit });
}

type KnownBuild = Pick<BuildIdentity, 'projectId' | 'definitionId' | 'id' | 'number' | 'branch' | 'commit'>;

/** Both kinds of references stay in the organization of this run. */
function identify(known: KnownBuild): BuildIdentity {
  const organization = { collectionId: readGuid('System.CollectionId'), organization: readOrganization() };
  return { ...organization, ...known, repository: '', stage: '', job: '', attempt: '' };
}

function tell(what: string, aliases: readonly string[]): string {
  return aliases.length === 0 ? `It has no ${what}.` : `Its ${what}: ${aliases.slice(0, 50).map(quote).join(', ')}.`;
}

function quote(text: string): string {
  return `"${text.slice(0, 200)}"`;
}
