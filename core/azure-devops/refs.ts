/** Branches and tags of git. https://learn.microsoft.com/rest/api/azure/devops/git/refs/list */
import * as z from 'zod';
import type { AzureDevOps } from './connection.ts';
import { askOf, type GitRepository } from './git-repository.ts';
import { askPages, type FoundList, nothing, readPage } from './pages.ts';
import { type Unknown, unknown } from './unknown.ts';

/** A branch or a tag. */
export interface GitRef {
  /** Without `refs/heads/` or `refs/tags/`. */
  readonly name: string;
  /** What it is on: a commit, or the object of an annotated tag. */
  readonly objectId: string;
  /** What an annotated tag is on at last. */
  readonly peeledId?: string | undefined;
}

/** An object of git: SHA-1, or SHA-256 where a repository has it. */
export const objectId = z
  .string()
  .toLowerCase()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const ref = z.object({ name: z.string(), objectId, peeledObjectId: objectId.nullish() });

type RefKind = 'heads' | 'tags';

const words: Readonly<Record<RefKind, string>> = { heads: 'the branches', tags: 'the tags' };
/** More than this is no repository that people keep images by. */
const most = 100_000;

/**
 * Lists all branches (`heads`) or tags, 1,000 a request. One that is outside of what was asked for, or there twice, makes
 * the whole list `unknown`: pages that shift may lack another.
 */
export async function listRefs(
  ado: AzureDevOps,
  repository: GitRepository,
  kind: RefKind,
): Promise<FoundList<GitRef> | Unknown> {
  const about = askOf(repository, words[kind], 'refs');
  const query = { filter: `${kind}/`, $top: 1000, ...(kind === 'tags' && { peelTags: 'true' }) };
  const answer = await askPages(ado, { request: { ...about, query }, item: ref, most });
  return answer.kind === 'unknown' ? answer : toRefs(about.what, kind, answer.items);
}

/** Lists a branch, in one request, whichever comes first: it tells whether there is any. Fails as {@link listRefs} does. */
export async function listOneBranch(ado: AzureDevOps, repository: GitRepository): Promise<FoundList<GitRef> | Unknown> {
  const about = askOf(repository, words.heads, 'refs');
  const answer = await ado.ask({ ...about, query: { filter: 'heads/', $top: 1 } });
  if (answer.kind !== 'ok') return unknown(about.what, answer);
  const page = readPage(about.what, answer.body, ref);
  return Array.isArray(page) ? toRefs(about.what, 'heads', page) : page;
}

function toRefs(what: string, kind: RefKind, found: readonly z.output<typeof ref>[]): FoundList<GitRef> | Unknown {
  const prefix = `refs/${kind}/`;
  const names = new Set<string>();
  const items: GitRef[] = [];
  for (const { name, objectId, peeledObjectId } of found) {
    if (!name.startsWith(prefix)) return nothing(what, `the answer held ${JSON.stringify(name.slice(0, 100))}`);
    if (names.has(name)) return nothing(what, `${JSON.stringify(name.slice(0, 100))} came twice; try again later`);
    names.add(name);
    items.push({ name: name.slice(prefix.length), objectId, peeledId: peeledObjectId ?? undefined });
  }
  return { kind: 'found', items };
}
