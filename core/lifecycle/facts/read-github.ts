/** Branches, tags and pull requests of one repository on GitHub, as the facts that rules are held against. */

import type { Reading } from '../../base/reading.ts';
import type { Unknown } from '../../github/graphql.ts';
import type { FoundList, RepositoryQuestion } from '../../github/pages.ts';
import {
  type GitHubBranch,
  listBranches,
  listOpenPullRequests,
  listSomeBranches,
  listTags,
} from '../../github/references.ts';
import type { BranchFact, GitTagFact, PullRequestFact } from '../keep-policy/policy-facts.ts';

/** Branches; the last activity is the date of the commit that each is on. */
export async function readGitHubBranches(question: RepositoryQuestion): Promise<Reading<BranchFact>> {
  return toReading(await listBranches(question), toBranch);
}

/** Some branches, where there is any. */
export async function readSomeGitHubBranches(question: RepositoryQuestion): Promise<Reading<BranchFact>> {
  return toReading(await listSomeBranches(question), toBranch);
}

function toBranch({ name, committedAt }: GitHubBranch): BranchFact {
  return { name, lastActivity: committedAt };
}

/** Tags, with their dates and commits. */
export async function readGitHubTags(question: RepositoryQuestion): Promise<Reading<GitTagFact>> {
  return toReading(await listTags(question), tag => tag);
}

/** Open pull requests; the last activity is whatever GitHub calls an update, a comment too. */
export async function readGitHubPullRequests(question: RepositoryQuestion): Promise<Reading<PullRequestFact>> {
  return toReading(await listOpenPullRequests(question), ({ number, updatedAt }) => ({
    id: number,
    state: 'active',
    lastActivity: updatedAt,
  }));
}

function toReading<T, F>(found: FoundList<T> | Unknown, make: (item: T) => F): Reading<F> {
  return found.kind === 'unknown'
    ? { kind: 'unread', reason: found.reason }
    : { kind: 'whole', items: found.items.map(make) };
}
