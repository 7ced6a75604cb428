/** Pages of a listing, and what a fault makes of them. */
import { isDigest } from './content.ts';
import type { Call } from './core.ts';
import { nameUnknown, refuse } from './errors.ts';
import { nameOfTimeKey, timeKey } from './order.ts';
import type { Orders, Repository } from './repository.ts';
import { isKnown } from './world.ts';

const defaultPage = 100;

/** Whatever `n` says, a page holds no more: https://github.com/Azure/acr/issues/749 */
const maxPage = 1000;

/** What a client asked for. */
export interface PageRequest {
  readonly count: number;
  readonly last: string | undefined;
  readonly orderby: string;
}

/** One page, and whether there is another. */
export interface Page {
  readonly names: readonly string[];
  readonly more: boolean;
}

function readOrder(call: Call): string {
  const orderby = call.query.get('orderby') ?? '';
  if (['', 'none', 'timeasc', 'timedesc'].includes(orderby)) return orderby;
  throw refuse(400, 'UNSUPPORTED', `orderby ${orderby} is not supported`);
}

/** Reads `n`, `last` and `orderby`. */
export function readPage(call: Call): PageRequest {
  const n = call.query.get('n');
  if (n !== null && n !== '' && !/^\d+$/.test(n)) {
    throw refuse(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested', { n });
  }
  const last = call.query.get('last');
  return {
    count: Math.min(n === null || n === '' ? defaultPage : Number(n), maxPage),
    last: call.distortion.repeated || last === null || last === '' ? undefined : last,
    orderby: readOrder(call),
  };
}

/** The repository that a listing shows: a lagging one while that fault is on. */
export function findListed(call: Call): Repository {
  const { frozen } = call.distortion;
  const repository = frozen ? frozen.get(call.repository) : call.core.world.repository(call.repository);
  if (!isKnown(repository)) throw nameUnknown(call.repository);
  return repository;
}

/** Walks names in the order asked, from after `last`. */
export function* walk(
  orders: Orders,
  entries: ReadonlyMap<string, { readonly lastUpdateTime: number }>,
  page: PageRequest,
): Iterable<string> {
  const byTime = page.orderby === 'timeasc' || page.orderby === 'timedesc';
  if (!byTime) return yield* orders.byName.after(page.last);
  const entry = page.last === undefined ? undefined : entries.get(page.last);
  const last = entry ? timeKey(entry.lastUpdateTime, page.last ?? '') : orders.departed.get(page.last ?? '');
  for (const key of orders.byTime.after(last, page.orderby === 'timedesc')) yield nameOfTimeKey(key);
}

/** Takes a page from names in order, leaving out what `shows` does not want shown. */
export function takePage(names: Iterable<string>, count: number, shows: (name: string) => boolean): Page {
  const taken: string[] = [];
  if (count === 0) return { names: taken, more: false };
  for (const name of names) {
    if (!shows(name)) continue;
    if (taken.length === count) return { names: taken, more: true };
    taken.push(name);
  }
  return { names: taken, more: false };
}

/** Names of the tags to list, of one digest when that is asked for. */
export function listTags(call: Call, repository: Repository, page: PageRequest): Page {
  const shows = (name: string): boolean =>
    repository.tags.get(name)?.attributes.listEnabled === true && !call.distortion.hidden.has(name);
  const digest = call.query.get('digest');
  const order = call.distortion.unsorted ? { ...page, orderby: 'timedesc' } : page;
  if (digest === null || digest === '') {
    return takePage(walk(repository.tagOrders, repository.tags, order), page.count, shows);
  }
  if (!isDigest(digest)) throw refuse(400, 'DIGEST_INVALID', 'invalid digest', { digest });
  return takePage(tagsOfDigest(repository, digest, order), page.count, shows);
}

function tagsOfDigest(repository: Repository, digest: string, page: PageRequest): string[] {
  const names = [...(repository.manifests.get(digest)?.tags ?? [])];
  const key = (name: string): string => timeKey(repository.tags.get(name)?.lastUpdateTime ?? 0, name);
  const byTime = page.orderby.startsWith('time');
  const sorted = names.sort((left, right) => {
    const [first, second] = byTime ? [key(left), key(right)] : [left, right];
    return first < second ? -1 : 1;
  });
  if (page.orderby === 'timedesc') sorted.reverse();
  const { last } = page;
  if (last === undefined) return sorted;
  return byTime ? sorted.slice(sorted.indexOf(last) + 1) : sorted.filter(name => name > last);
}

/** The `Link` to the next page, relative and in the form recorded from a live registry. */
export function linkNext(call: Call, path: string, page: Page, asked: PageRequest): Record<string, string> {
  if (!page.more || call.distortion.truncated) return {};
  const parameters = [
    `last=${encodeURIComponent(page.names.at(-1) ?? '')}`,
    `n=${asked.count}`,
    `orderby=${asked.orderby}`,
  ];
  for (const name of ['digest', 'artifactType']) {
    const value = call.query.get(name);
    if (value !== null) parameters.push(`${name}=${encodeURIComponent(value)}`);
  }
  return { Link: `<${path}?${parameters.join('&')}>; rel="next"` };
}
