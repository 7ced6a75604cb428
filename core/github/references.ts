/** Branches, tags and open pull requests of a repository on GitHub. https://docs.github.com/graphql/reference/objects#repository */
import * as z from 'zod';
import type { Unknown } from './graphql.ts';
import { type FoundList, listAll, listFirstPage, nameOf, nothing, type RepositoryQuestion } from './pages.ts';

/** A branch. */
export interface GitHubBranch {
  /** Without `refs/heads/`. */
  readonly name: string;
  /** When the commit that it is on was made, in milliseconds. */
  readonly committedAt: number | undefined;
}

/** A tag. */
export interface GitHubTag {
  /** Without `refs/tags/`. */
  readonly name: string;
  /** The annotation's, else the commit's, in milliseconds. */
  readonly date: number | undefined;
  /** Undefined where it is on no commit, or on another tag. */
  readonly commit: string | undefined;
}

/** A pull request that is open, a draft too. */
export interface GitHubPullRequest {
  readonly number: number;
  readonly updatedAt: number;
}

const oid = z
  .string()
  .toLowerCase()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const time = z.iso.datetime({ offset: true }).transform(text => Date.parse(text));
const commit = z.object({ type: z.literal('Commit'), oid, committedDate: time });
const other = z.object({ type: z.string().refine(type => type !== 'Commit'), oid });
const annotated = z.object({
  type: z.literal('Tag'),
  oid,
  tagger: z.object({ date: time.nullable() }).nullable(),
  target: z.union([commit, other]),
});
const plain = other.refine(each => each.type !== 'Tag');
const ref = z.object({
  name: z.string().min(1),
  prefix: z.string(),
  target: z.union([commit, annotated, plain]).nullable(),
});
const pullRequest = z.object({ number: z.number().int().positive(), updatedAt: time });

type Ref = z.output<typeof ref>;

const commitFields = 'type: __typename oid ... on Commit { committedDate }';

/** Lists every branch. */
export async function listBranches(question: RepositoryQuestion): Promise<FoundList<GitHubBranch> | Unknown> {
  return listRefs(question, ['heads', 'the branches'], toBranch);
}

/** Lists the branches of one page, in one request: it tells whether there is any. */
export async function listSomeBranches(question: RepositoryQuestion): Promise<FoundList<GitHubBranch> | Unknown> {
  return listRefs(question, ['heads', 'the branches'], toBranch, listFirstPage);
}

function toBranch(name: string, { target }: Ref): GitHubBranch {
  return { name, committedAt: isCommit(target) ? target.committedDate : undefined };
}

/** Lists every tag. */
export async function listTags(question: RepositoryQuestion): Promise<FoundList<GitHubTag> | Unknown> {
  return listRefs(question, ['tags', 'the tags'], (name, { target }) => {
    const on = isAnnotated(target) ? target.target : target;
    const onCommit = isCommit(on) ? on : undefined;
    const annotatedAt = isAnnotated(target) ? (target.tagger?.date ?? undefined) : undefined;
    return { name, date: annotatedAt ?? onCommit?.committedDate, commit: onCommit?.oid };
  });
}

function isCommit(target: { readonly type: string } | null): target is z.output<typeof commit> {
  return target?.type === 'Commit';
}

function isAnnotated(target: Ref['target']): target is z.output<typeof annotated> {
  return target?.type === 'Tag';
}

/** Lists every open pull request, the oldest first: one that is opened meanwhile comes last. */
export async function listOpenPullRequests(
  question: RepositoryQuestion,
): Promise<FoundList<GitHubPullRequest> | Unknown> {
  return listAll(question, {
    thing: 'the open pull requests',
    field: 'pullRequests(states: OPEN, orderBy: { field: CREATED_AT, direction: ASC }',
    selection: 'number updatedAt',
    item: pullRequest,
    keyOf: each => each.number,
  });
}

/** A reference that is outside of what was asked for makes the list unknown. */
async function listRefs<T>(
  question: RepositoryQuestion,
  [kind, thing]: readonly [kind: 'heads' | 'tags', thing: string],
  make: (name: string, ref: Ref) => T,
  list = listAll,
): Promise<FoundList<T> | Unknown> {
  const prefix = `refs/${kind}/`;
  const selection =
    kind === 'heads'
      ? `name prefix target { ${commitFields} }`
      : `name prefix target { ${commitFields} ... on Tag { tagger { date } target { ${commitFields} } } }`;
  const field = `refs(refPrefix: "${prefix}"`;
  const found = await list(question, { thing, field, selection, item: ref, keyOf: fullName });
  if (found.kind === 'unknown') return found;
  const stray = found.items.find(each => !fullName(each).startsWith(prefix));
  if (stray)
    return nothing(nameOf(question, thing), `the answer held ${JSON.stringify(fullName(stray).slice(0, 100))}`);
  return { kind: 'found', items: found.items.map(each => make(fullName(each).slice(prefix.length), each)) };
}

function fullName({ prefix, name }: Ref): string {
  return `${prefix}${name}`;
}
