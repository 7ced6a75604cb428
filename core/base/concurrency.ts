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

/** Runs work when there is a place for it. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `atOnce` pieces of work at a time, in the order in which they came. */
export function createLimit(atOnce: number): Limit {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async work => {
    if (free > 0) free -= 1;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** Waits for all of them, and throws the first failure only then: nothing is left running behind it. */
export async function settleAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map(each => {
    if (each.status === 'rejected') throw each.reason as Error;
    return each.value;
  });
}
