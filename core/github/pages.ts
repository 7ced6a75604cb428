/** A list of a repository, page by page: all of it or nothing. https://docs.github.com/graphql/guides/using-pagination-in-the-graphql-api */
import * as z from 'zod';
import type { GitHub, Unknown } from './graphql.ts';

/** A repository, as its URL names it. */
export interface GitHubRepository {
  readonly owner: string;
  readonly name: string;
}

/** Of whom and of what is asked. */
export interface RepositoryQuestion {
  readonly gitHub: GitHub;
  readonly repository: GitHubRepository;
  readonly signal?: AbortSignal | undefined;
}

/** One list. */
export interface ListQuestion<T> {
  /** `the branches`. */
  readonly thing: string;
  /** The field of `Repository` with its arguments but for `first` and `after`: `refs(refPrefix: "refs/heads/"`. */
  readonly field: string;
  /** What is asked of each. */
  readonly selection: string;
  readonly item: z.ZodType<T>;
  /** What tells one from another. */
  readonly keyOf: (item: T) => string | number;
}

/** The whole list, each once. */
export interface FoundList<T> {
  readonly kind: 'found';
  readonly items: readonly T[];
}

/** More than this is no repository that people keep images by. */
const most = 50_000;
const attempts = 3;

/** Reads the repository that is at `source`, as `normalizeSource` has it; undefined where this is not its host. */
export function parseGitHubRepository(source: string, { url }: Pick<GitHub, 'url'>): GitHubRepository | undefined {
  if (!source.startsWith(`${url}/`)) return undefined;
  const [owner = '', name = '', ...others] = source.slice(url.length + 1).split('/');
  const isPath = [owner, name].every(part => /^[\w.-]+$/.test(part)) && others.length === 0;
  return isPath ? { owner, name } : undefined;
}

/**
 * Lists all, 100 a request. What came is held against GitHub's own count; a list that changed meanwhile is read again, three
 * times at most. Rejects with the signal's reason alone.
 */
export async function listAll<T>(about: RepositoryQuestion, list: ListQuestion<T>): Promise<FoundList<T> | Unknown> {
  const what = nameOf(about, list.thing);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const found = await walk(about, list, what);
    if (found !== 'moved') return found;
  }
  return nothing(what, 'the list was not as long as its own count each time it was read; try again later');
}

/** Lists what the first page holds, in one request: it tells whether there is anything. */
export async function listFirstPage<T>(
  about: RepositoryQuestion,
  list: ListQuestion<T>,
): Promise<FoundList<T> | Unknown> {
  const page = await askPage(about, list, undefined);
  return 'kind' in page ? page : { kind: 'found', items: page.items };
}

async function walk<T>(
  about: RepositoryQuestion,
  list: ListQuestion<T>,
  what: string,
): Promise<FoundList<T> | Unknown | 'moved'> {
  const found = new Map<string | number, T>();
  let first: Page<T> | undefined;
  for (let after: string | undefined; ; ) {
    const page = await askPage(about, list, after);
    if ('kind' in page) return page;
    first ??= page;
    if (page.id !== first.id || page.totalCount !== first.totalCount) return 'moved';
    if (page.totalCount > most) return nothing(what, `there are more than ${most}, which is not read`);
    const before = found.size;
    for (const each of page.items) found.set(list.keyOf(each), each);
    // Each page brings something new, and all of them no more than was counted: so there is an end.
    if (found.size !== before + page.items.length || found.size > first.totalCount) return 'moved';
    if (!page.next) {
      return found.size === first.totalCount ? { kind: 'found', items: [...found.values()] } : 'moved';
    }
    const { cursor } = page.next;
    if (cursor === null || page.items.length === 0) {
      return nothing(what, 'its pages lead nowhere; try again later');
    }
    after = cursor;
  }
}

interface Page<T> {
  /** The repository's: a name may come to mean another one. */
  readonly id: string;
  readonly totalCount: number;
  readonly items: readonly T[];
  /** How what follows is asked for, null where the answer does not say it; undefined at the end. */
  readonly next: { readonly cursor: string | null } | undefined;
}

async function askPage<T>(
  about: RepositoryQuestion,
  { thing, field, selection, item }: ListQuestion<T>,
  after: string | undefined,
): Promise<Page<T> | Unknown> {
  const { gitHub, repository, signal } = about;
  const what = nameOf(about, thing);
  const query = `query($owner: String!, $name: String!, $after: String) { repository(owner: $owner, name: $name) { id list: ${field}, first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { ${selection} } } } }`;
  const answer = await gitHub.ask({ what, query, variables: { ...repository, after }, signal });
  if (answer.kind === 'unknown') return answer;
  const read = bodyOf(item).safeParse(answer.data);
  if (!read.success) {
    const place = read.error.issues[0]?.path.map(String).join('.') || 'the body';
    return nothing(what, `the answer does not say ${place} as documented; check the URL and the rights of the token`);
  }
  const { id, list } = read.data.repository;
  const { hasNextPage, endCursor } = list.pageInfo;
  return { id, totalCount: list.totalCount, items: list.nodes, next: hasNextPage ? { cursor: endCursor } : undefined };
}

function bodyOf<T>(item: z.ZodType<T>) {
  return z.object({
    repository: z.object({
      id: z.string().min(1),
      list: z.object({
        totalCount: z.number().int().nonnegative(),
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().min(1).nullable() }),
        nodes: z.array(item),
      }),
    }),
  });
}

/** `the branches of https://github.com/contoso/shop`. */
export function nameOf({ gitHub, repository: { owner, name } }: RepositoryQuestion, thing: string): string {
  return `${thing} of ${gitHub.url}/${owner}/${name}`;
}

/** That nothing was learnt of `what`, and why. */
export function nothing(what: string, why: string): Unknown {
  return { kind: 'unknown', reason: `${what}: ${why}` };
}
