/**
 * The deleted builds of a project, as long as Azure DevOps knows them. For whoever knows an id and not the project: to ask
 * each project for each id costs more than the list.
 */
import { buildBody } from './build-body.ts';
import { type BuildFacts, toFacts } from './builds.ts';
import type { AzureDevOps } from './connection.ts';
import { askPages, type FoundList } from './pages.ts';
import { checkIds, type Unknown } from './unknown.ts';

/** More deleted builds than this are not read. */
const most = 100_000;
/** About 5 MB a page. */
const pageSize = 1000;

/**
 * Lists the builds that say `deleted: true`. A build may come twice: a token is the time at which the next page begins.
 * Only in this order, and of completed builds, the list has tokens at all; a build that never completed has no images.
 * https://learn.microsoft.com/rest/api/azure/devops/build/builds/list
 */
export async function listDeletedBuilds(ado: AzureDevOps, projectId: string): Promise<FoundList<BuildFacts> | Unknown> {
  const what = `the deleted builds of project ${projectId}`;
  const wrong = checkIds(what, projectId, 1);
  if (wrong !== undefined) return wrong;
  const query = { deletedFilter: 'onlyDeleted', statusFilter: 'completed', queryOrder: 'finishTimeAscending' };
  const request = { what, path: [projectId, '_apis', 'build', 'builds'], query: { ...query, $top: pageSize } };
  const answer = await askPages(ado, { request, item: buildBody, most });
  if (answer.kind === 'unknown') return answer;
  const builds = answer.items.map(toFacts);
  const stray = builds.find(build => !build.deleted || build.projectId !== projectId.toLowerCase());
  if (stray !== undefined) {
    return { kind: 'unknown', reason: `${what}: the answer held build ${stray.id}, which is none; check the URL` };
  }
  return { kind: 'found', items: builds };
}
