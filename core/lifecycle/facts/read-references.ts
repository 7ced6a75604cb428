/** Branches, tags and pull requests of one repository of Azure Repos, with the dates that rules need. */
import { readCommitDates, readTagDate } from '../../azure-devops/commits.ts';
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import type { GitRepository } from '../../azure-devops/git-repository.ts';
import { listOpenPullRequests } from '../../azure-devops/pull-requests.ts';
import { type GitRef, listOneBranch, listRefs } from '../../azure-devops/refs.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Reading } from '../../base/reading.ts';
import type { BranchFact, GitTagFact, PullRequestFact } from '../keep-policy/policy-facts.ts';
import type { ReferenceRule } from '../keep-policy/policy-schema.ts';

/** A repository, and the rules about what is to be read of it. */
export interface SourceQuestion {
  readonly ado: AzureDevOps;
  readonly repository: GitRepository;
  readonly rules: readonly ReferenceRule[];
}

/** Each costs a request. The rest has no date, and so stays without being counted. */
const mostTagDates = 1000;
const datesAtOnce = 8;

/** Branches; the last activity is the date of the commit that each is on. */
export async function readBranches({ ado, repository, rules }: SourceQuestion): Promise<Reading<BranchFact>> {
  const listed = await listRefs(ado, repository, 'heads');
  if (listed.kind === 'unknown') return unread(listed);
  const dated = chooseDated(listed.items, rules);
  const read = await readCommitDates(
    ado,
    repository,
    [...dated].map(each => each.objectId),
  );
  if (read.kind === 'unknown') return unread(read);
  return whole(
    listed.items.map(each => ({
      name: each.name,
      lastActivity: dated.has(each) ? read.dates.get(each.objectId) : undefined,
    })),
  );
}

/** A branch without its date, where there is any. */
export async function readOneBranch({ ado, repository }: SourceQuestion): Promise<Reading<BranchFact>> {
  const listed = await listOneBranch(ado, repository);
  if (listed.kind === 'unknown') return unread(listed);
  return whole(listed.items.map(({ name }) => ({ name, lastActivity: undefined })));
}

/** Tags. What one is on counts as a commit only where the repository knows a commit of that name. */
export async function readTags({ ado, repository, rules }: SourceQuestion): Promise<Reading<GitTagFact>> {
  const listed = await listRefs(ado, repository, 'tags');
  if (listed.kind === 'unknown') return unread(listed);
  const targets = listed.items.map(targetOf);
  const commits = await readCommitDates(ado, repository, targets);
  if (commits.kind === 'unknown') return unread(commits);
  const dated = chooseDated(listed.items, rules);
  const annotations = await readAnnotations({ ado, repository, rules }, [...dated].filter(isAnnotated));
  if (annotations.kind === 'unknown') return unread(annotations);
  const dateOf = (tag: GitRef): number | undefined => {
    if (!dated.has(tag)) return undefined;
    if (!isAnnotated(tag)) return commits.dates.get(tag.objectId);
    return annotations.dates.has(tag) ? (annotations.dates.get(tag) ?? commits.dates.get(targetOf(tag))) : undefined;
  };
  return whole(
    listed.items.map(tag => ({
      name: tag.name,
      date: dateOf(tag),
      commit: commits.dates.has(targetOf(tag)) ? targetOf(tag) : undefined,
    })),
  );
}

/** Open pull requests; the last activity is the later of the opening and of the last commit. */
export async function readPullRequests({ ado, repository, rules }: SourceQuestion): Promise<Reading<PullRequestFact>> {
  const listed = await listOpenPullRequests(ado, repository);
  if (listed.kind === 'unknown') return unread(listed);
  const named = listed.items.map(each => ({ ...each, name: String(each.id) }));
  const dated = chooseDated(named, rules);
  const read = await readCommitDates(
    ado,
    repository,
    [...dated].flatMap(each => each.commit ?? []),
  );
  if (read.kind === 'unknown') return unread(read);
  return whole(
    named.map(each => ({
      id: each.id,
      state: 'active',
      lastActivity: dated.has(each) ? later(each.createdAt, read.dates.get(each.commit ?? '')) : undefined,
    })),
  );
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}

type TagDates =
  | { readonly kind: 'found'; readonly dates: ReadonlyMap<GitRef, number | undefined> }
  | { readonly kind: 'unknown'; readonly reason: string };

/** The first question without an answer ends the asking. */
async function readAnnotations({ ado, repository }: SourceQuestion, tags: readonly GitRef[]): Promise<TagDates> {
  const dates = new Map<GitRef, number | undefined>();
  let failed: TagDates | undefined;
  await mapConcurrently(tags.slice(0, mostTagDates), datesAtOnce, async tag => {
    if (failed) return;
    const read = await readTagDate(ado, repository, tag.objectId);
    if (read.kind === 'unknown') failed = read;
    else dates.set(tag, read.date);
  });
  return failed ?? { kind: 'found', dates };
}

/** Those whose date decides anything: a limit that is not reached chooses all. */
function chooseDated<T extends { readonly name: string }>(
  items: readonly T[],
  rules: readonly ReferenceRule[],
): Set<T> {
  const dated = new Set<T>();
  for (const { pattern, activeWithin, limit } of rules) {
    const meant = items.filter(each => pattern?.matches(each.name) ?? true);
    if (activeWithin === undefined && (limit === undefined || meant.length <= limit)) continue;
    for (const each of meant) dated.add(each);
  }
  return dated;
}

function isAnnotated({ peeledId }: GitRef): boolean {
  return peeledId !== undefined;
}

function targetOf({ objectId, peeledId }: GitRef): string {
  return peeledId ?? objectId;
}

function whole<T>(items: readonly T[]): Reading<T> {
  return { kind: 'whole', items };
}

function unread({ reason }: { readonly reason: string }): Extract<Reading<never>, { kind: 'unread' }> {
  return { kind: 'unread', reason };
}
