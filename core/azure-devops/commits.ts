/** The dates of commits and of annotated tags. */
import * as z from 'zod';
import type { AzureDevOps } from './connection.ts';
import { askOf, type GitRepository } from './git-repository.ts';
import { nothing, readPage } from './pages.ts';
import { objectId } from './refs.ts';
import { misunderstood, type Unknown, unknown } from './unknown.ts';

/** Azure DevOps says its times in UTC, now and then without the Z. */
const time = z.iso
  .datetime({ offset: true, local: true })
  .transform(text => Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`));
const stamp = z.object({ date: time }).nullish();
const commit = z.object({ commitId: objectId, committer: stamp, author: stamp });
const annotatedTag = z.object({ objectId, taggedBy: stamp });

const batchSize = 500;

/**
 * Asks for the dates of commits in milliseconds, 500 a request: when each came to be as it is now. What is not in the
 * answer is no commit of the repository, or one that is not told. https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits-batch
 */
export async function readCommitDates(
  ado: AzureDevOps,
  repository: GitRepository,
  ids: readonly string[],
): Promise<{ readonly kind: 'found'; readonly dates: ReadonlyMap<string, number | undefined> } | Unknown> {
  const dates = new Map<string, number | undefined>();
  const wanted = [...new Set(ids)];
  const about = {
    ...askOf(repository, 'the dates of commits', 'commitsbatch'),
    method: 'POST',
    isQuestion: true,
  } as const;
  for (let start = 0; start < wanted.length; start += batchSize) {
    const batch = wanted.slice(start, start + batchSize);
    const answer = await ado.ask({ ...about, query: { $top: batch.length }, body: { ids: batch } });
    if (answer.kind !== 'ok') return unknown(about.what, answer);
    const page = readPage(about.what, answer.body, commit);
    if (!Array.isArray(page)) return page;
    const asked = new Set(batch);
    const stray = page.find(each => !asked.has(each.commitId));
    if (stray) return nothing(about.what, `the answer held ${stray.commitId}, which was not asked for`);
    for (const { commitId, committer, author } of page) dates.set(commitId, (committer ?? author)?.date);
  }
  return { kind: 'found', dates };
}

/**
 * Asks for the date of an annotation; undefined where whoever made the tag did not say.
 * https://learn.microsoft.com/rest/api/azure/devops/git/annotated-tags/get
 */
export async function readTagDate(
  ado: AzureDevOps,
  repository: GitRepository,
  id: string,
): Promise<{ readonly kind: 'found'; readonly date: number | undefined } | Unknown> {
  const about = askOf(repository, `the annotated tag ${id}`, 'annotatedtags', id);
  const answer = await ado.ask(about);
  if (answer.kind !== 'ok') return unknown(about.what, answer);
  const body = annotatedTag.safeParse(answer.body);
  if (!body.success) return misunderstood(about.what, body.error);
  const { objectId: found, taggedBy } = body.data;
  return found === id ? { kind: 'found', date: taggedBy?.date } : nothing(about.what, `the answer is about ${found}`);
}
