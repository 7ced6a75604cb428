/** Doing several things at once, with a bound. */
import pMap from 'p-map';

/**
 * Runs `work` on each item, at most `limit` at a time, and gives the results in the order of the items.
 * The first failure rejects; work that already started is waited for by nobody, so `work` must be safe to outlive it.
 */
export function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  return pMap(items, work, { concurrency: limit });
}
