/** The REST side of Azure Repos. https://learn.microsoft.com/rest/api/azure/devops/git */
import { gitUrl, projectBody, type Site } from './bodies.ts';
import { deny, readScope } from './build-routes.ts';
import { type GitRepository, type PullRequest, peel } from './git.ts';
import { type Call, failure, list, ok, type Reply, type Route } from './http.ts';
import type { World } from './world.ts';

/** The integers that node-api sends for the states of pull requests. */
const statuses = { active: 1, abandoned: 2, completed: 3, all: 4 } as const;
/** Filters that this emulator does not know: refused, never ignored in silence. */
const unsupported = /^(searchcriteria\.(?!status$)|include(statuses|mybranches)$|filtercontains$)/;

/** Repositories, refs, commits, annotated tags and pull requests. */
export function gitRoutes(world: World, site: Site): Route[] {
  const of = (handle: (repository: GitRepository, call: Call) => Reply) => (call: Call) => {
    const found = findRepository(world, call);
    if ('status' in found) return found;
    const foreign = [...call.query].find(([name, value]) => unsupported.test(name) && value !== 'false');
    return foreign === undefined
      ? handle(found, call)
      : failure(400, 'EmulatorException', `The emulator does not know the filter ${foreign[0]}.`);
  };
  return [
    route(
      'git.repository',
      '',
      of(repository => ok(repositoryBody(world, site, repository))),
    ),
    route(
      'git.refs',
      '/refs',
      of((repository, call) => refs(world, site, repository, call)),
    ),
    route(
      'git.commits',
      '/commitsbatch',
      of((repository, call) => commits(site, repository, call)),
      'POST',
    ),
    route('git.annotatedTag', '/annotatedtags/{object}', of(annotatedTag)),
    route(
      'git.pullRequests',
      '/pullrequests',
      of((repository, call) => pullRequests(world, site, repository, call)),
    ),
  ];
}

function route(operation: string, path: string, handle: Route['handle'], method = 'GET'): Route {
  return { operation, method, right: 'code', pattern: `{project}/_apis/git/repositories/{repository}${path}`, handle };
}

function findRepository(world: World, call: Call): GitRepository | Reply {
  const scope = readScope(world, call);
  if ('status' in scope) return scope;
  const key = call.params['repository'] ?? '';
  const found = [...world.git.repositories.values()].find(
    ({ id, name, projectId }) =>
      projectId === scope.project?.id && [id, name.toLowerCase()].includes(key.toLowerCase()),
  );
  if (found?.denied !== undefined && found.denied !== 'notFound') return deny(found.denied, `repository ${key}`);
  if (found !== undefined && found.denied === undefined) return found;
  const message = `TF401019: The Git repository with name or identifier ${key} does not exist or you do not have permissions for the operation you are attempting.`;
  return failure(404, 'GitRepositoryNotFoundException', message);
}

function repositoryBody(world: World, site: Site, { id, name, projectId }: GitRepository) {
  const project = world.projects.get(projectId);
  if (project === undefined) throw new Error(`repository ${name} hangs in the air`);
  return {
    id,
    name,
    url: `${site.url}/${projectId}/_apis/git/repositories/${id}`,
    project: projectBody(site, project),
    size: 728,
    remoteUrl: gitUrl(site, project.name, name),
    webUrl: gitUrl(site, project.name, name),
    isDisabled: false,
    isInMaintenance: false,
  };
}

/** In the order of their names; a token is the name of the next one. */
function refs(world: World, site: Site, repository: GitRepository, { query }: Call): Reply {
  const filter = `refs/${query.get('filter') ?? ''}`;
  const all = [
    ...[...repository.branches].map(([name, object]) => ({ name: `refs/heads/${name}`, object })),
    ...[...repository.tags].map(([name, object]) => ({ name: `refs/tags/${name}`, object })),
    ...[...repository.pullRequests.values()].map(({ id, commit = '' }) => ({
      name: `refs/pull/${id}/merge`,
      object: commit,
    })),
  ].sort((one, other) => (one.name < other.name ? -1 : 1));
  const token = query.get('continuationtoken');
  const asked = query.get('$top') ?? (token === undefined ? undefined : '100');
  if (asked !== undefined && Number(asked) > 1000) {
    return failure(400, 'InvalidArgumentValueException', 'TF400898: $top cannot be bigger than 1000.');
  }
  const top = Math.min(Number(asked ?? Number.POSITIVE_INFINITY), world.behaviour.largestPage);
  const found = all.filter(({ name }) => name.startsWith(filter) && (token === undefined || name >= token));
  const isPeeled = query.get('peeltags')?.toLowerCase() === 'true';
  const bodies = found.slice(0, top).map(({ name, object }) => ({
    name,
    objectId: object,
    ...(isPeeled && repository.annotations.has(object) && { peeledObjectId: peel(repository, object) }),
    creator: { displayName: 'Ada Builder', id: '11111111-2222-4333-8444-555555555555' },
    url: `${site.url}/${repository.projectId}/_apis/git/repositories/${repository.id}/refs?filter=${encodeURIComponent(name.slice('refs/'.length))}`,
  }));
  const next = found[top];
  return list(bodies, next === undefined ? {} : { 'x-ms-continuationtoken': next.name });
}

/** What is no commit is left out without a word; without `$top`, 100 are given. */
function commits(site: Site, repository: GitRepository, { body, query }: Call): Reply {
  const { ids } = (body ?? {}) as { ids?: unknown };
  if (!Array.isArray(ids)) return failure(400, 'InvalidArgumentValueException', 'The emulator only knows ids.');
  const found = (ids as string[]).filter(id => repository.commits.has(id)).slice(0, Number(query.get('$top') ?? 100));
  return list(
    found.map(commitId => {
      const date = new Date(repository.commits.get(commitId) ?? 0).toISOString();
      const by = { name: 'Ada Builder', email: 'ada@contoso.example', date };
      const url = `${site.url}/${repository.projectId}/_apis/git/repositories/${repository.id}/commits/${commitId}`;
      return { commitId, author: by, committer: by, comment: 'a change', changeCounts: { Edit: 1 }, url };
    }),
  );
}

function annotatedTag(repository: GitRepository, { params }: Call): Reply {
  const objectId = params['object'] ?? '';
  const found = repository.annotations.get(objectId);
  if (found === undefined) {
    return failure(404, 'GitObjectNotFoundException', `TF401174: The object '${objectId}' could not be found.`);
  }
  const { name, target, at } = found;
  return ok({
    name,
    objectId,
    taggedObject: { objectId: target, objectType: repository.annotations.has(target) ? 'tag' : 'commit' },
    taggedBy: at === undefined ? null : { name: 'Ada Builder', email: '', date: new Date(at).toISOString() },
    message: name,
  });
}

/** Newest first, by their numbers; without `$top`, 101 of them. */
function pullRequests(world: World, site: Site, repository: GitRepository, { query }: Call): Reply {
  const wanted = query.get('searchcriteria.status') ?? 'active';
  const isWanted = ({ status }: PullRequest): boolean =>
    [status, 'all', String(statuses[status]), String(statuses.all)].includes(wanted.toLowerCase());
  const found = [...repository.pullRequests.values()].filter(isWanted).sort((one, other) => other.id - one.id);
  const skip = Number(query.get('$skip') ?? 0);
  const top = Math.min(Number(query.get('$top') ?? 101), world.behaviour.largestPage);
  return list(found.slice(skip, skip + top).map(each => pullRequestBody(world, site, repository, each)));
}

function pullRequestBody(world: World, site: Site, repository: GitRepository, pullRequest: PullRequest) {
  const { id, status, source, createdAt, commit } = pullRequest;
  const { id: repositoryId, name, url, project } = repositoryBody(world, site, repository);
  return {
    repository: { id: repositoryId, name, url, project },
    pullRequestId: id,
    codeReviewId: id,
    status,
    creationDate: new Date(createdAt).toISOString(),
    title: source,
    sourceRefName: `refs/heads/${source}`,
    targetRefName: 'refs/heads/main',
    mergeStatus: 'succeeded',
    isDraft: false,
    ...(commit !== undefined && { lastMergeSourceCommit: { commitId: commit, url: `${url}/commits/${commit}` } }),
    reviewers: [],
    url: `${url}/pullRequests/${id}`,
    supportsIterations: true,
  };
}
