/** Lists of an API server, walked to their end: whole, or not read. https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
import * as z from 'zod';
import type { Reading } from '../base/reading.ts';
import type { KubernetesApi } from './api.ts';
import { describeFault } from './fault.ts';

/** What is listed in every namespace. */
export interface ListRequest<T> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in URLs: `deployments`. */
  readonly resource: string;
  /** What its objects are, where that is known. */
  readonly objectKind?: string;
  readonly labelSelector?: string;
  /** How many objects are asked for at a time. */
  readonly pageSize: number;
  /** What an object tells. One that is unread makes the whole list so. */
  readonly read: (object: unknown) => Reading<T>;
}

/** All that a list told, and how many objects are in it. */
export type ListReading<T> =
  | { readonly kind: 'whole'; readonly items: readonly T[]; readonly objects: number }
  | Extract<Reading<T>, { kind: 'unread' }>;

/** An object has 1.5 MiB at most, which becomes 2 MiB as base64, so what a smaller page fills is no list. */
const maxPageBytes = 64 * 1024 * 1024;
const smallPage = 20;
/** Far more than a cluster can hold; a server that goes on for ever is given up. */
const maxPages = 20_000;

const page = z.object({
  kind: z.string().regex(/^[A-Z][A-Za-z0-9]{0,200}List$/),
  apiVersion: z.string(),
  metadata: z.object({
    resourceVersion: z.string().default(''),
    continue: z.string().default(''),
    remainingItemCount: z.number().int().nonnegative().optional(),
  }),
  items: z.array(z.unknown()),
});
type Page = z.infer<typeof page>;

/** What one walk has come to. */
interface Walk<T> {
  readonly items: T[];
  objects: number;
  /** How many objects the server said there are. */
  announced: number;
  pageSize: number;
  first?: Page;
}

/** A list that changed under our hands: begun again, it may be whole. */
type Torn = { readonly kind: 'torn'; readonly reason: string };

/** Reads a list. Where it expired or contradicts itself it is begun again, once. */
export async function readList<T>(api: KubernetesApi, request: ListRequest<T>): Promise<ListReading<T>> {
  const walked = await walk(api, request);
  if (walked.kind !== 'torn') return walked;
  const again = await walk(api, request);
  return again.kind === 'torn' ? { kind: 'unread', reason: again.reason } : again;
}

async function walk<T>(api: KubernetesApi, request: ListRequest<T>): Promise<ListReading<T> | Torn> {
  const what = `${nameOf(request)} of ${api.server}`;
  const state: Walk<T> = { items: [], objects: 0, announced: 0, pageSize: request.pageSize };
  let token = '';
  const seen = new Set<string>();
  for (let pages = 0; pages < maxPages; pages += 1) {
    const read = await askPage(api, request, what, { state, token });
    if ('kind' in read) return read;
    const added = addPage(state, read.page, request, what);
    if (added) return added;
    const next = read.page.metadata.continue;
    if (next === '') return endOf(state, what);
    if (seen.has(next)) return unread(what, 'its pages lead in a circle, so it has no end');
    seen.add(next);
    token = next;
  }
  return unread(what, `it has more than ${maxPages} pages`);
}

async function askPage<T>(
  api: KubernetesApi,
  request: ListRequest<T>,
  what: string,
  { state, token }: { readonly state: Walk<T>; readonly token: string },
): Promise<{ readonly page: Page } | Torn | Extract<Reading<T>, { kind: 'unread' }>> {
  for (;;) {
    const answer = await api.ask({
      ...questionOf(request, what),
      path: pathOf(request, state.pageSize, token),
      maxBytes: maxPageBytes,
    });
    if (answer.kind === 'tooLarge' && state.pageSize > smallPage) {
      state.pageSize = smallPage;
      continue;
    }
    if (answer.kind === 'expired') return { kind: 'torn', reason: answer.reason };
    if (answer.kind !== 'ok') return { kind: 'unread', reason: answer.reason };
    const read = page.safeParse(answer.body);
    if (!read.success) return unread(what, `the answer is no list: ${describeFault(read.error)}`);
    return { page: read.data };
  }
}

/** Takes a page over; gives why the list cannot be. */
function addPage<T>(
  state: Walk<T>,
  page: Page,
  request: ListRequest<T>,
  what: string,
): Torn | Extract<Reading<T>, { kind: 'unread' }> | undefined {
  const first = (state.first ??= page);
  const apiVersion = request.group === '' ? request.version : `${request.group}/${request.version}`;
  const kind = request.objectKind === undefined ? first.kind : `${request.objectKind}List`;
  if (page.apiVersion !== apiVersion || page.kind !== kind) {
    return unread(what, `the answer is a ${page.kind} of ${page.apiVersion.slice(0, 100)}, which was not asked for`);
  }
  // All pages are of the moment of the first. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/
  if (page.metadata.resourceVersion !== first.metadata.resourceVersion) {
    return { kind: 'torn', reason: `${what}: its pages are of different moments: try again` };
  }
  for (const object of page.items) {
    const read = request.read(object);
    if (read.kind === 'unread') return unread(what, read.reason);
    for (const item of read.items) state.items.push(item);
  }
  state.objects += page.items.length;
  state.announced = Math.max(state.announced, state.objects + (page.metadata.remainingItemCount ?? 0));
  return undefined;
}

function endOf<T>({ items, objects, announced }: Walk<T>, what: string): ListReading<T> | Torn {
  if (objects < announced) {
    return {
      kind: 'torn',
      reason: `${what}: the server said that there are ${announced}, and gave ${objects}: try again`,
    };
  }
  return { kind: 'whole', items, objects };
}

function unread(what: string, why: string): { readonly kind: 'unread'; readonly reason: string } {
  return { kind: 'unread', reason: `${what}: ${why}` };
}

function nameOf({ group, version, resource }: ListRequest<unknown>): string {
  return `the ${resource} (${group === '' ? version : `${group}/${version}`})`;
}

function pathOf(
  { group, version, resource, labelSelector }: ListRequest<unknown>,
  limit: number,
  token: string,
): string {
  const query = new URLSearchParams({ limit: `${limit}` });
  if (labelSelector !== undefined) query.set('labelSelector', labelSelector);
  if (token !== '') query.set('continue', token);
  const place = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${place}/${resource}?${query.toString()}`;
}

function questionOf({ group, version, resource }: ListRequest<unknown>, what: string) {
  return {
    what,
    rule: `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["list"]}`,
    absent: `does the cluster serve "${resource}" of ${group === '' ? version : `${group}/${version}`}? The name is the plural, as "kubectl api-resources" shows it`,
  };
}
