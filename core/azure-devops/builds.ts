/**
 * What Azure DevOps says about builds. Each function tells apart what it knows from what it does not: only a build that
 * says `deleted: true`, or Azure DevOps' own "no such build", ever reads as anything but alive or unknown.
 * https://learn.microsoft.com/rest/api/azure/devops/build/builds
 */
import * as z from 'zod';
import { buildBody, buildId, buildList, guid } from './build-body.ts';
import type { AzureDevOps } from './connection.ts';
import { checkIds, isRefusal, misunderstood, type Unknown, unknown } from './unknown.ts';

/** The repository that a build was made from, as far as Azure DevOps tells of it: `type` is `TfsGit`, `GitHub`, … */
export interface BuildRepository {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly url?: string | undefined;
}

/** What is known of one build. Times are ISO 8601, ids of projects lower-case. */
export interface BuildFacts {
  readonly id: number;
  readonly number: string;
  readonly projectId: string;
  readonly definitionId: number;
  readonly status?: string | undefined;
  readonly result?: string | undefined;
  readonly queueTime?: string | undefined;
  readonly startTime?: string | undefined;
  readonly finishTime?: string | undefined;
  readonly sourceBranch?: string | undefined;
  readonly sourceVersion?: string | undefined;
  readonly repository?: BuildRepository | undefined;
  /** The pull request that started it. */
  readonly pullRequest?: number | undefined;
  readonly keepForever?: boolean | undefined;
  readonly retainedByRelease?: boolean | undefined;
  readonly deletedDate?: string | undefined;
}

/** One build, asked for by id. `notFound` is a 404 whose body says BuildNotFoundException; alone it proves nothing. */
export type BuildAnswer =
  | { readonly kind: 'alive'; readonly build: BuildFacts }
  | { readonly kind: 'deleted'; readonly build: BuildFacts }
  | { readonly kind: 'notFound' }
  | Unknown;

/** Builds asked for by id. An id that is not in `found` is unknown, whether or not `unknown` says why. */
export interface BuildsAnswer {
  readonly found: Map<number, BuildFacts & { readonly deleted: boolean }>;
  readonly unknown?: string;
}

/** Ids in one question, so that its URL stays under 3 kB. */
const batchSize = 200;

type Found = BuildFacts & { readonly deleted: boolean };

/** Asks for one build, deleted or not. A body with another id or another project is `unknown`. */
export async function getBuild(ado: AzureDevOps, projectId: string, id: number): Promise<BuildAnswer> {
  const what = `build ${id} of project ${projectId}`;
  const wrong = checkIds(what, projectId, id);
  if (wrong !== undefined) return wrong;
  const answer = await ado.ask({ what, path: [projectId, '_apis', 'build', 'builds', String(id)] });
  if (isRefusal(answer, 'BuildNotFoundException')) return { kind: 'notFound' };
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = buildBody.safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const { deleted, ...build } = toFacts(body.data);
  if (build.id !== id || build.projectId !== projectId.toLowerCase()) return foreign(what, build);
  return { kind: deleted ? 'deleted' : 'alive', build };
}

/**
 * Asks for many builds, 200 at a time, by `buildIds` and no other filter: whether others may be added is not documented.
 * An answer that holds anything that was not asked for counts for nothing; the first failure ends the asking.
 */
export async function getBuildsByIds(
  ado: AzureDevOps,
  projectId: string,
  ids: readonly number[],
): Promise<BuildsAnswer> {
  const found = new Map<number, Found>();
  const wanted = [...new Set(ids)];
  for (let start = 0; start < wanted.length; start += batchSize) {
    const batch = wanted.slice(start, start + batchSize);
    const answer = await getBatch(ado, projectId, batch);
    if (!Array.isArray(answer)) return { found, unknown: answer.reason };
    for (const build of answer) found.set(build.id, build);
  }
  return { found };
}

async function getBatch(ado: AzureDevOps, projectId: string, ids: readonly number[]): Promise<Found[] | Unknown> {
  const what =
    ids.length === 1
      ? `build ${ids[0]} of project ${projectId}`
      : `${ids.length} builds of project ${projectId}, from ${ids[0]}`;
  const wrong = checkIds(what, projectId, ...ids);
  if (wrong !== undefined) return wrong;
  const builds = await askList(ado, what, { projectId, query: { buildIds: ids.join(',') } });
  if (!Array.isArray(builds)) return builds;
  const asked = new Set(ids);
  // Taking each id out as it comes notices one that comes twice.
  const stray = builds.find(build => !asked.delete(build.id));
  return stray === undefined ? builds : foreign(what, stray);
}

/** Asks for the build of the project, or of one definition, that was queued last; deleted ones count. */
export async function newestBuild(
  ado: AzureDevOps,
  projectId: string,
  definitionId?: number,
): Promise<{ readonly kind: 'found'; readonly build: BuildFacts } | { readonly kind: 'none' } | Unknown> {
  const owner = definitionId === undefined ? '' : ` of definition ${definitionId}`;
  const what = `the newest build${owner} of project ${projectId}`;
  const wrong = checkIds(what, projectId, definitionId ?? 1);
  if (wrong !== undefined) return wrong;
  const query = { queryOrder: 'queueTimeDescending', $top: 1, deletedFilter: 'includeDeleted' };
  const scope = definitionId === undefined ? {} : { definitions: definitionId };
  const builds = await askList(ado, what, { projectId, query: { ...query, ...scope } });
  if (!Array.isArray(builds)) return builds;
  const [found, second] = builds;
  if (found === undefined) return { kind: 'none' };
  if (second !== undefined || (definitionId !== undefined && found.definitionId !== definitionId)) {
    return foreign(what, second ?? found);
  }
  const { deleted: _, ...build } = found;
  return { kind: 'found', build };
}

/** A project that this sign-in reads. `notFound` is also what Azure DevOps says of a project one may not see. */
export type ProjectAnswer =
  | { readonly kind: 'readable'; readonly id: string; readonly name: string }
  | { readonly kind: 'notFound' }
  | Unknown;

/** Asks whether this sign-in reads the project. */
export async function getProject(ado: AzureDevOps, projectId: string): Promise<ProjectAnswer> {
  const what = `project ${projectId}`;
  const wrong = checkIds(what, projectId, 1);
  if (wrong !== undefined) return wrong;
  const answer = await askProject(ado, what, projectId);
  const isOther = answer.kind === 'readable' && answer.id !== projectId.toLowerCase();
  return isOther ? { kind: 'unknown', reason: `${what}: answered with another one` } : answer;
}

/**
 * Asks for a project by its name, whose letters may be of either case.
 * https://learn.microsoft.com/rest/api/azure/devops/core/projects/get
 */
export async function getProjectByName(ado: AzureDevOps, name: string): Promise<ProjectAnswer> {
  const what = `project ${name}`;
  const answer = await askProject(ado, what, name);
  if (answer.kind !== 'readable' || answer.name.toLowerCase() === name.toLowerCase()) return answer;
  // A project that was renamed may still answer to what it was called before.
  return { kind: 'unknown', reason: `${what}: answered with ${answer.name}; write that name, or the id ${answer.id}` };
}

async function askProject(ado: AzureDevOps, what: string, key: string): Promise<ProjectAnswer> {
  const answer = await ado.ask({ what, path: ['_apis', 'projects', key] });
  if (isRefusal(answer, 'ProjectDoesNotExistException', 'ProjectDoesNotExistWithNameException')) {
    return { kind: 'notFound' };
  }
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = z.object({ id: guid, name: z.string().min(1), state: z.string().optional() }).safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const { id, name, state = 'wellFormed' } = body.data;
  if (state !== 'wellFormed') return { kind: 'unknown', reason: `${what}: its state is ${state}; wait` };
  return { kind: 'readable', id, name };
}

/** Asks whether this sign-in reads the definition (the UI's "pipeline"). */
export async function getDefinition(
  ado: AzureDevOps,
  projectId: string,
  definitionId: number,
): Promise<{ readonly kind: 'readable' } | { readonly kind: 'notFound' } | Unknown> {
  const what = `definition ${definitionId} of project ${projectId}`;
  const wrong = checkIds(what, projectId, definitionId);
  if (wrong !== undefined) return wrong;
  const path = [projectId, '_apis', 'build', 'definitions', String(definitionId)];
  const answer = await ado.ask({ what, path });
  if (isRefusal(answer, 'DefinitionNotFoundException')) return { kind: 'notFound' };
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = z.object({ id: buildId, project: z.object({ id: guid }) }).safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const same = body.data.id === definitionId && body.data.project.id === projectId.toLowerCase();
  return same ? { kind: 'readable' } : { kind: 'unknown', reason: `${what}: answered with another one` };
}

/** Asks for the id of the collection (Services: of the organization) that this connection reaches; lower-case. */
export async function getCollectionId(
  ado: AzureDevOps,
): Promise<{ readonly kind: 'found'; readonly id: string } | Unknown> {
  const what = `the collection at ${ado.url}`;
  // This resource is in preview for ever and refuses a released version.
  const answer = await ado.ask({ what, path: ['_apis', 'connectionData'], apiVersion: '7.1-preview.1' });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = z.object({ instanceId: guid }).safeParse(answer.body);
  return body.success ? { kind: 'found', id: body.data.instanceId } : misunderstood(what, body.error);
}

interface ListQuestion {
  readonly projectId: string;
  readonly query: Readonly<Record<string, string | number>>;
}

async function askList(ado: AzureDevOps, what: string, question: ListQuestion): Promise<Found[] | Unknown> {
  const path = [question.projectId, '_apis', 'build', 'builds'];
  const answer = await ado.ask({ what, path, query: question.query });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = buildList.safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  if (body.data.count !== body.data.value.length) {
    return { kind: 'unknown', reason: `${what}: the count of the answer is not that of its builds; try again later` };
  }
  const builds = body.data.value.map(toFacts);
  const stray = builds.find(build => build.projectId !== question.projectId.toLowerCase());
  return stray === undefined ? builds : foreign(what, stray);
}

/** What a body says of its build. */
export function toFacts(body: z.infer<typeof buildBody>): Found {
  const { buildNumber, project, definition, deleted, repository, triggerInfo, ...rest } = body;
  return {
    ...rest,
    repository: repository ?? undefined,
    pullRequest: triggerInfo?.['pr.number'],
    number: buildNumber,
    projectId: project.id,
    definitionId: definition.id,
    deleted: deleted === true,
  };
}

function foreign(what: string, build: BuildFacts): Unknown {
  const stranger = `build ${build.id} of definition ${build.definitionId} in project ${build.projectId}`;
  return { kind: 'unknown', reason: `${what}: the answer held ${stranger}, not what was asked; check the URL` };
}
