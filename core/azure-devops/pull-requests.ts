/** The pull requests of a repository that are open. https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests */
import * as z from 'zod';
import { buildId, guid } from './build-body.ts';
import type { AzureDevOps } from './connection.ts';
import { askOf, type GitRepository } from './git-repository.ts';
import { type FoundList, nothing, readPage } from './pages.ts';
import { objectId } from './refs.ts';
import { type Unknown, unknown } from './unknown.ts';

/** A pull request that is active, a draft too. */
export interface OpenPullRequest {
  readonly id: number;
  /** In milliseconds; undefined where it is not told. */
  readonly createdAt: number | undefined;
  /** The last commit of its branch that was merged for a trial, so the one that was built. */
  readonly commit: string | undefined;
}

const pullRequest = z.object({
  pullRequestId: buildId,
  status: z.string(),
  creationDate: z.iso.datetime({ offset: true }).nullish(),
  repository: z.object({ id: guid }),
  lastMergeSourceCommit: z.object({ commitId: objectId }).nullish(),
});

type Body = z.infer<typeof pullRequest>;

const pageSize = 100;
const most = 20_000;
const attempts = 3;

/**
 * Lists every active pull request. The list has no tokens, and one that is closed meanwhile moves all behind it, so each
 * page begins with the last of the page before; where it does not, the list is read again, three times at most.
 */
export async function listOpenPullRequests(
  ado: AzureDevOps,
  repository: GitRepository,
): Promise<FoundList<OpenPullRequest> | Unknown> {
  const { what } = askOf(repository, 'the active pull requests');
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const found = await walk(ado, repository);
    if (found === 'moved') continue;
    return Array.isArray(found) ? { kind: 'found', items: found.map(toPullRequest) } : found;
  }
  return nothing(what, 'the list changed each time it was read; try again later');
}

async function walk(ado: AzureDevOps, repository: GitRepository): Promise<Body[] | 'moved' | Unknown> {
  const about = askOf(repository, 'the active pull requests', 'pullrequests');
  const found: Body[] = [];
  const seen = new Set<number>();
  for (;;) {
    const $skip = Math.max(0, found.length - 1);
    const query = { 'searchCriteria.status': 'active', $top: pageSize, $skip };
    const answer = await ado.ask({ ...about, query });
    if (answer.kind !== 'ok') return unknown(about.what, answer);
    const page = readPage(about.what, answer.body, pullRequest);
    if (!Array.isArray(page)) return page;
    const stray = page.find(each => each.status !== 'active' || each.repository.id !== repository.id);
    if (stray) return nothing(about.what, `the answer held ${stray.pullRequestId}, which is none`);
    const last = found.at(-1);
    if (last && page[0]?.pullRequestId !== last.pullRequestId) return 'moved';
    const fresh = last ? page.slice(1) : page;
    if (fresh.length === 0) return found;
    for (const each of fresh) {
      if (seen.has(each.pullRequestId)) return 'moved';
      seen.add(each.pullRequestId);
      found.push(each);
    }
    if (found.length > most) return nothing(about.what, `there are more than ${most}, which is not read`);
  }
}

function toPullRequest({ pullRequestId, creationDate, lastMergeSourceCommit }: Body): OpenPullRequest {
  return {
    id: pullRequestId,
    createdAt: creationDate == null ? undefined : Date.parse(creationDate),
    commit: lastMergeSourceCommit?.commitId,
  };
}
