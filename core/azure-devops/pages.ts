/** Lists that come in pages: read to their end, or not at all. */
import * as z from 'zod';
import type { AzureDevOps, AzureDevOpsRequest } from './connection.ts';
import { misunderstood, type Unknown, unknown } from './unknown.ts';

/** A list to read. */
export interface ListQuestion<T> {
  /** Its first page. */
  readonly request: AzureDevOpsRequest;
  readonly item: z.ZodType<T>;
  /** More items than this are not read. */
  readonly most: number;
}

/** A whole list in the order of the answers. */
export interface FoundList<T> {
  readonly kind: 'found';
  readonly items: readonly T[];
}

/**
 * Walks the pages by their tokens. A page that miscounts itself or holds anything that is not understood, a token that
 * comes a second time and a list that is too long make all of it `unknown`.
 * https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-methods
 */
export async function askPages<T>(
  ado: AzureDevOps,
  { request, item, most }: ListQuestion<T>,
): Promise<FoundList<T> | Unknown> {
  const { what } = request;
  const items: T[] = [];
  const seen = new Set<string>();
  for (let token: string | undefined; ; ) {
    const query = { ...request.query, ...(token !== undefined && { continuationToken: token }) };
    const answer = await ado.ask({ ...request, query });
    if (answer.kind !== 'ok') return unknown(what, answer);
    const page = readPage(what, answer.body, item);
    if (!Array.isArray(page)) return page;
    for (const each of page) items.push(each);
    if (items.length > most) return nothing(what, `it has more than ${most} entries, which is not read`);
    token = answer.continuationToken;
    if (token === undefined) return { kind: 'found', items };
    if (seen.has(token)) return nothing(what, 'its pages repeat themselves; try again later');
    seen.add(token);
  }
}

/** Reads `{count, value}`, the wrapper of every list; the reason why not where it is not that. */
export function readPage<T>(what: string, body: unknown, item: z.ZodType<T>): T[] | Unknown {
  const read = z.object({ count: z.int().nonnegative(), value: z.array(item) }).safeParse(body);
  if (!read.success) return misunderstood(what, read.error);
  const { count, value } = read.data;
  return count === value.length ? value : nothing(what, `the answer counts ${count} and holds ${value.length}`);
}

/** Nothing was learnt about `what`, and why. */
export function nothing(what: string, why: string): Unknown {
  return { kind: 'unknown', reason: `${what}: ${why}` };
}
