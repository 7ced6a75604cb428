/** The JSON of projects, definitions and builds, as REST 7.1 documents it. */
import type { Build, Definition, Project, World } from './world.ts';

/** Where the organization is served, for the URLs inside bodies. */
export interface Site {
  readonly url: string;
}

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

/** `TeamProjectReference`: https://learn.microsoft.com/rest/api/azure/devops/core/projects/get */
export function projectBody(site: Site, project: Project) {
  return {
    id: project.id,
    name: project.name,
    url: `${site.url}/_apis/projects/${project.id}`,
    state: project.state,
    revision: 11,
    visibility: 'private',
    lastUpdateTime: '2024-01-02T03:04:05.677Z',
  };
}

/** `DefinitionReference`, as it stands inside a build. */
export function definitionBody(site: Site, definition: Definition, project: Project) {
  return {
    drafts: [],
    id: definition.id,
    name: definition.name,
    url: `${site.url}/${project.id}/_apis/build/Definitions/${definition.id}?revision=1`,
    uri: `vstfs:///Build/Definition/${definition.id}`,
    path: '\\',
    type: 'build',
    queueStatus: 'enabled',
    revision: 1,
    project: projectBody(site, project),
  };
}

function identity(displayName: string) {
  const id = '11111111-2222-4333-8444-555555555555';
  return { displayName, id, uniqueName: displayName, descriptor: `s2s.${Buffer.from(displayName).toString('base64')}` };
}

/** `Build`: https://learn.microsoft.com/rest/api/azure/devops/build/builds/get. What is undefined is left out. */
export function buildBody(site: Site, world: World, build: Build) {
  const project = world.projects.get(build.projectId);
  const definition = world.definitions.get(build.definitionId);
  if (project === undefined || definition === undefined) throw new Error(`build ${build.id} hangs in the air`);
  const self = `${site.url}/${project.id}/_apis/build/Builds/${build.id}`;
  const web = `${site.url}/${project.id}/_build/results?buildId=${build.id}`;
  const { deleted } = build;
  return {
    _links: { self: { href: self }, web: { href: web } },
    properties: {},
    tags: build.tags,
    validationResults: [],
    plans: [{ planId: planId(build.id) }],
    triggerInfo: build.pullRequest === undefined ? {} : { 'pr.number': String(build.pullRequest) },
    id: build.id,
    buildNumber: build.number,
    status: build.status,
    result: build.result,
    queueTime: iso(build.queueTime),
    startTime: iso(build.startTime),
    finishTime: iso(build.finishTime),
    url: self,
    definition: definitionBody(site, definition, project),
    buildNumberRevision: 1,
    project: projectBody(site, project),
    uri: `vstfs:///Build/Build/${build.id}`,
    sourceBranch: build.sourceBranch,
    sourceVersion: build.sourceVersion,
    priority: 'normal',
    reason: 'individualCI',
    requestedFor: identity('Ada Builder'),
    requestedBy: identity('Microsoft.VisualStudio.Services.TFS'),
    lastChangedDate: iso(build.finishTime ?? build.queueTime),
    lastChangedBy: identity('Microsoft.VisualStudio.Services.TFS'),
    orchestrationPlan: { planId: planId(build.id) },
    repository: { ...sourceBody(site, world, build), clean: null, checkoutSubmodules: false },
    ...(build.keepForever ? { keepForever: true } : {}),
    retainedByRelease: build.retainedByRelease,
    triggeredByBuild: null,
    appendCommitMessageToRunName: true,
    ...(deleted === undefined
      ? {}
      : {
          deleted: true,
          deletedDate: iso(deleted.at),
          deletedBy: identity(deleted.by),
          deletedReason: deleted.reason,
        }),
  };
}

/** Azure Repos has an address and a name; of a foreign host a build says what it was given. */
function sourceBody(site: Site, world: World, { repository, projectId }: Build) {
  if (repository?.type !== undefined) return repository;
  const { git, projects } = world;
  const own = repository === undefined ? git.defaultOf(projectId) : git.repositories.get(repository.id);
  if (own === undefined) throw new Error(`there is no repository ${repository?.id}`);
  const { id, name } = own;
  return { id, type: 'TfsGit', name, url: gitUrl(site, projects.get(own.projectId)?.name ?? '', name) };
}

/** Where a clone comes from. */
export function gitUrl(site: Site, project: string, repository: string): string {
  return `${site.url}/${encodeURIComponent(project)}/_git/${encodeURIComponent(repository)}`;
}

function planId(buildId: number): string {
  return `00000000-0000-4000-8000-${buildId.toString(16).padStart(12, '0')}`;
}
