/** Projects, definitions and builds. */
import { buildBody, definitionBody, projectBody, type Site } from './bodies.ts';
import { queryBuilds } from './build-query.ts';
import { type Call, failure, list, ok, type Reply, type Route, readId } from './http.ts';
import type { Build, Denial, Project, World } from './world.ts';

/** https://learn.microsoft.com/rest/api/azure/devops/build and …/core/projects */
export function buildRoutes(world: World, site: Site): Route[] {
  const build = (call: Call): Reply => {
    const scope = readScope(world, call);
    if ('status' in scope) return scope;
    const id = readId(call.params['buildId']);
    const found = id === undefined ? undefined : world.readBuild(id);
    if (found === undefined || !scope.holds(found)) return noBuild(call.params['buildId'] ?? '');
    const denied = world.definitions.get(found.definitionId)?.denied;
    if (denied !== undefined) return denied === 'notFound' ? noBuild(String(id)) : deny(denied, `build ${id}`);
    return ok(buildBody(site, world, found));
  };
  const builds = (call: Call): Reply => {
    const scope = readScope(world, call);
    if ('status' in scope) return scope;
    const readable = candidates(world, call).filter(
      item => scope.holds(item) && world.readBuild(item.id) && !world.definitions.get(item.definitionId)?.denied,
    );
    const page = queryBuilds(world, readable, call.query);
    if ('status' in page) return page;
    const token = page.continuationToken;
    const bodies = page.builds.map(item => buildBody(site, world, item));
    return list(bodies, token === undefined ? {} : { 'x-ms-continuationtoken': token });
  };
  const read = { method: 'GET', right: 'read' } as const;
  return [
    { ...read, operation: 'projects.list', pattern: '_apis/projects', handle: () => projects(world, site) },
    {
      ...read,
      operation: 'projects.get',
      pattern: '_apis/projects/{project}',
      handle: call => project(world, site, call),
    },
    { ...read, operation: 'builds.get', pattern: '_apis/build/builds/{buildId}', handle: build },
    { ...read, operation: 'builds.get', pattern: '{project}/_apis/build/builds/{buildId}', handle: build },
    {
      operation: 'builds.delete',
      method: 'DELETE',
      right: 'delete',
      pattern: '{project}/_apis/build/builds/{buildId}',
      handle: call => deleteBuild(world, call),
    },
    { ...read, operation: 'builds.list', pattern: '_apis/build/builds', handle: builds },
    { ...read, operation: 'builds.list', pattern: '{project}/_apis/build/builds', handle: builds },
    {
      ...read,
      operation: 'definitions.get',
      pattern: '{project}/_apis/build/definitions/{definitionId}',
      handle: call => definition(world, site, call),
    },
    {
      ...read,
      operation: 'definitions.list',
      pattern: '{project}/_apis/build/definitions',
      handle: call => definitions(world, site, call),
    },
  ];
}

/** Those of the ids that are asked for, else all: an estate has many, and a question 200. */
function candidates({ builds }: World, { query }: Call): Build[] {
  const ids = query.get('buildids')?.split(',');
  return ids === undefined ? [...builds.values()] : [...new Set(ids)].flatMap(id => builds.get(Number(id)) ?? []);
}

/** The project of a request, or the whole collection, as far as the caller reads it. */
export interface Scope {
  readonly project?: Project;
  readonly holds: (build: Build) => boolean;
}

/** Reads `{project}`, an id or a name; gives the error where it is not there or not readable. */
export function readScope(world: World, call: Call): Scope | Reply {
  const key = call.params['project'];
  if (key === undefined) return { holds: build => isReadable(world.projects.get(build.projectId)) };
  const found = findProject(world, key);
  if (found === undefined || found.state === 'deleted' || found.denied === 'notFound') return noProject(key);
  if (found.denied !== undefined) return deny(found.denied, `project ${key}`);
  return { project: found, holds: build => build.projectId === found.id };
}

function isReadable(project: Project | undefined): boolean {
  return project !== undefined && project.state !== 'deleted' && project.denied === undefined;
}

function findProject(world: World, key: string): Project | undefined {
  const lower = key.toLowerCase();
  return world.projects.get(lower) ?? [...world.projects.values()].find(item => item.name.toLowerCase() === lower);
}

/** A person's own deletion: refused while a lease, a release or "keep forever" holds the build. */
function deleteBuild(world: World, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const id = readId(call.params['buildId']);
  const found = id === undefined ? undefined : world.readBuild(id);
  if (found === undefined || !scope.holds(found)) return noBuild(call.params['buildId'] ?? '');
  if (found.keepForever || found.retainedByRelease || world.leases.ofBuild(found.id).length > 0) {
    const message = `TF900561: The following build cannot be deleted because it has a retention lease on it: ${found.number}. Remove the leases to allow deletion of this build.`;
    return failure(400, 'CannotDeleteRetainedBuildException', message);
  }
  world.deleteBuild(found.id, 'Deleted by a user');
  return { status: 204 };
}

function projects(world: World, site: Site): Reply {
  return list([...world.projects.values()].filter(isReadable).map(item => projectBody(site, item)));
}

function project(world: World, site: Site, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope || scope.project === undefined) return 'status' in scope ? scope : noProject('');
  const self = `${site.url}/_apis/projects/${scope.project.id}`;
  return ok({ ...projectBody(site, scope.project), _links: { self: { href: self } } });
}

function definitions(world: World, site: Site, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const { project } = scope;
  if (project === undefined) return noProject('');
  const found = [...world.definitions.values()].filter(
    item => item.projectId === project.id && !item.deleted && item.denied === undefined,
  );
  return list(found.map(item => definitionBody(site, item, project)));
}

function definition(world: World, site: Site, call: Call): Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const id = readId(call.params['definitionId']);
  const found = id === undefined ? undefined : world.definitions.get(id);
  if (scope.project === undefined || found === undefined || found.projectId !== scope.project.id || found.deleted) {
    return noDefinition(call.params['definitionId'] ?? '');
  }
  if (found.denied !== undefined) {
    return found.denied === 'notFound' ? noDefinition(String(id)) : deny(found.denied, `definition ${id}`);
  }
  return ok({
    ...definitionBody(site, found, scope.project),
    jobAuthorizationScope: 'project',
    triggers: [],
    variables: {},
  });
}

function noBuild(id: string): Reply {
  return failure(404, 'BuildNotFoundException', `The requested build ${id} could not be found.`);
}

function noDefinition(id: string): Reply {
  const message = `The definition ${id} could not be found, or you do not have permission to view it.`;
  return failure(404, 'DefinitionNotFoundException', message);
}

/** One text for a project that is not there and one that may not be seen, by id and by name. */
function noProject(key: string): Reply {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(key)) {
    const uri = `vstfs:///Classification/TeamProject/${key.toLowerCase()}`;
    const message = `VS800075: The project with id '${uri}' does not exist, or you do not have permission to access it.`;
    return failure(404, 'ProjectDoesNotExistException', message);
  }
  const message = `TF200016: The following project does not exist: ${key}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server.`;
  return failure(404, 'ProjectDoesNotExistWithNameException', message);
}

/** What somebody gets who may not read `what`. */
export function deny(how: Exclude<Denial, 'notFound'>, what: string): Reply {
  if (how === 'unauthorized') {
    const message = "TF400813: The user 'emulated' is not authorized to access this resource.";
    return failure(401, 'UnauthorizedRequestException', message);
  }
  const message = `TF215106: Access denied. The emulated user needs View builds permissions for ${what} to perform the action.`;
  return failure(403, 'AccessDeniedException', message);
}
