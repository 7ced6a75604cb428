/**
 * Classic releases. On Azure DevOps Services they are served by a host of their own and nothing else is.
 * https://learn.microsoft.com/rest/api/azure/devops/release/releases
 */
import { readScope } from './build-routes.ts';
import { type Call, failure, list, ok, type Reply, type Route, readId } from './http.ts';
import type { Sites } from './location-routes.ts';
import type { Release, ReleaseArtifact } from './releases.ts';
import type { World } from './world.ts';

/** The integers that node-api sends for `$expand`. */
const expandArtifacts = 4;
/** Filters that this emulator does not know: refused, never ignored in silence. */
const unsupported = [
  'definitionenvironmentid',
  'searchtext',
  'createdby',
  'environmentstatusfilter',
  'tagfilter',
  'path',
];

/** Reading one release, and listing those that take something. */
export function releaseRoutes(world: World, sites: Sites): Route[] {
  const get = (call: Call): Reply => {
    const scope = readScope(world, call);
    if ('status' in scope) return scope;
    const id = readId(call.params['releaseId']);
    const found = id === undefined ? undefined : world.releases.all.get(id);
    if (found === undefined || found.deleted || found.projectId !== scope.project?.id) {
      return noRelease(call.params['releaseId'] ?? '');
    }
    return ok(releaseBody(world, sites, found, true));
  };
  const read = { method: 'GET', right: 'releases' } as const;
  return [
    { ...read, operation: 'releases.get', pattern: '{project}/_apis/release/releases/{releaseId}', handle: get },
    {
      ...read,
      operation: 'releases.list',
      pattern: '{project}/_apis/release/releases',
      handle: call => listReleases(world, sites, call),
    },
    {
      ...read,
      operation: 'releaseDefinitions.list',
      pattern: '{project}/_apis/release/definitions',
      handle: call => listDefinitions(world, sites, call),
    },
  ];
}

function listReleases(world: World, sites: Sites, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const { query } = call;
  const foreign = unsupported.find(name => query.has(name));
  if (foreign !== undefined) {
    return failure(400, 'EmulatorException', `The emulator does not know the filter ${foreign}.`);
  }
  const newestFirst = [...world.releases.all.values()].sort((a, b) => b.createdOn - a.createdOn || b.id - a.id);
  const before = Number(query.get('continuationtoken') ?? Number.POSITIVE_INFINITY);
  const found = newestFirst
    .filter(release => release.projectId === scope.project?.id && isWanted(world, release, query))
    .filter(release => release.id <= before);
  const top = Math.min(Number(query.get('$top') ?? 50), world.behaviour.largestPage);
  const expand = query.get('$expand') ?? '';
  const withArtifacts = /artifacts/i.test(expand) || (Number(expand) & expandArtifacts) !== 0;
  const page = found.slice(0, top).map(release => releaseBody(world, sites, release, withArtifacts));
  const next = found[top];
  return list(page, next === undefined ? {} : { 'x-ms-continuationtoken': String(next.id) });
}

/** Only `$top` and a token: whoever asks for more gets what this emulator knows. */
function listDefinitions(world: World, sites: Sites, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const after = Number(call.query.get('continuationtoken') ?? 0);
  const found = [...world.releases.definitions.values()]
    .filter(({ id, projectId }) => projectId === scope.project?.id && id >= after)
    .sort((one, other) => one.id - other.id);
  const top = Math.min(Number(call.query.get('$top') ?? 10_000), world.behaviour.largestPage);
  const bodies = found.slice(0, top).map(({ id, projectId, name }) => ({
    id,
    name,
    path: '\\',
    isDeleted: false,
    revision: 1,
    source: 'undefined',
    projectReference: null,
    url: `${sites.releases.url}/${projectId}/_apis/Release/definitions/${id}`,
  }));
  const next = found[top];
  return list(bodies, next === undefined ? {} : { 'x-ms-continuationtoken': String(next.id) });
}

function isWanted(world: World, release: Release, query: ReadonlyMap<string, string>): boolean {
  const [definition, status] = [query.get('definitionid'), query.get('statusfilter')];
  const wanted: Record<string, string | undefined> = {
    type: query.get('artifacttypeid'),
    source: query.get('sourceid')?.toLowerCase(),
    version: query.get('artifactversionid'),
  };
  const fits = (artifact: ReleaseArtifact): boolean => {
    const { project, definition, version } = referenceOf(world, artifact);
    const has: Record<string, string> = {
      type: artifact.type,
      source: `${project?.id}:${definition?.id}`,
      version: version?.id ?? '',
    };
    return Object.entries(wanted).every(([name, value]) => value === undefined || value === has[name]);
  };
  const asksForArtifact = Object.values(wanted).some(value => value !== undefined);
  return (
    release.deleted === (query.get('isdeleted')?.toLowerCase() === 'true') &&
    (definition === undefined || release.definitionId === Number(definition)) &&
    (status === undefined || release.status === status.toLowerCase()) &&
    (!asksForArtifact || release.artifacts.some(fits))
  );
}

/** `Release`: https://learn.microsoft.com/rest/api/azure/devops/release/releases/get-release */
function releaseBody(world: World, sites: Sites, release: Release, withArtifacts: boolean) {
  const { id, name, projectId, status, keepForever } = release;
  const project = world.projects.get(projectId);
  const self = `${sites.releases.url}/${projectId}/_apis/Release/releases/${id}`;
  const web = `${sites.organization.url}/${projectId}/_release?releaseId=${id}&_a=release-summary`;
  return {
    id,
    name,
    status,
    createdOn: new Date(release.createdOn).toISOString(),
    modifiedOn: new Date(release.createdOn).toISOString(),
    environments: release.stages.map((stage, index) => ({
      id: id * 10 + index,
      releaseId: id,
      name: stage,
      status: 'inProgress',
      definitionEnvironmentId: index + 1,
    })),
    variables: {},
    variableGroups: [],
    artifacts: withArtifacts ? release.artifacts.map(artifact => artifactBody(world, artifact)) : [],
    releaseDefinition: {
      id: release.definitionId,
      name: `release-${release.definitionId}`,
      path: '\\',
      projectReference: null,
      url: `${sites.releases.url}/${projectId}/_apis/Release/definitions/${release.definitionId}`,
    },
    releaseDefinitionRevision: 1,
    description: '',
    reason: 'continuousIntegration',
    releaseNameFormat: 'Release-$(rev:r)',
    keepForever,
    definitionSnapshotRevision: 1,
    tags: [],
    triggeringArtifactAlias: null,
    projectReference: { id: projectId, name: project?.name ?? null },
    properties: {},
    _links: { self: { href: self }, web: { href: web } },
  };
}

function artifactBody(world: World, artifact: ReleaseArtifact) {
  const { alias, type, isPrimary } = artifact;
  const definitionReference = referenceOf(world, artifact);
  const { project, definition } = definitionReference;
  const sourceId = type === 'Build' ? `${project?.id}:${definition?.id}` : (definition?.id ?? alias);
  return { sourceId, type, alias, definitionReference, isPrimary, isRetained: type === 'Build' };
}

/** Every id is a string, those of builds too. */
function referenceOf(world: World, artifact: ReleaseArtifact): ReleaseArtifact['reference'] {
  const build = artifact.buildId === undefined ? undefined : world.builds.get(artifact.buildId);
  if (build === undefined) return artifact.reference;
  return {
    project: { id: build.projectId, name: world.projects.get(build.projectId)?.name ?? '' },
    definition: { id: String(build.definitionId), name: world.definitions.get(build.definitionId)?.name ?? '' },
    version: { id: String(build.id), name: build.number },
    branch: { id: build.sourceBranch, name: build.sourceBranch },
    sourceVersion: { id: build.sourceVersion, name: '' },
    defaultVersionType: { id: 'latestType', name: 'Latest' },
    ...artifact.reference,
  };
}

function noRelease(id: string): Reply {
  const message = `VS402881: Release with ID ${id} does not exist. Specify a valid release ID.`;
  return failure(404, 'ReleaseNotFoundException', message);
}
