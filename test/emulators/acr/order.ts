/** Keys kept in order, so that a page of a listing with 100,000 entries costs no sort. */

/** A sorted set of strings. */
export interface Order {
  add(key: string): void;
  remove(key: string): void;
  /** Walks the keys strictly after `last`, or all of them; `last` itself need not exist any more. */
  after(last: string | undefined, backwards?: boolean): Iterable<string>;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The index of the first key that is not below `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes an order of `keys`; additions are merged when somebody reads, so that seeding in bulk sorts once. */
export function createOrder(keys: Iterable<string> = []): Order {
  let sorted: string[] = [];
  let pending = new Set<string>(keys);

  function settle(): string[] {
    if (pending.size > 64) sorted = [...sorted, ...pending].sort(compare);
    else for (const key of pending) sorted.splice(lowerBound(sorted, key), 0, key);
    if (pending.size > 0) pending = new Set();
    return sorted;
  }

  return {
    add: key => {
      pending.add(key);
    },
    remove: key => {
      if (pending.delete(key)) return;
      const index = lowerBound(sorted, key);
      if (sorted[index] === key) sorted.splice(index, 1);
    },
    *after(last, backwards = false) {
      const all = settle();
      if (backwards) {
        const start = last === undefined ? all.length : lowerBound(all, last);
        for (let index = start - 1; index >= 0; index -= 1) yield all[index] as string;
        return;
      }
      let start = last === undefined ? 0 : lowerBound(all, last);
      if (all[start] === last) start += 1;
      for (let index = start; index < all.length; index += 1) yield all[index] as string;
    },
  };
}

/** An order key that sorts by time and then by name; {@link nameOfTimeKey} takes the name out again. */
export function timeKey(microseconds: number, name: string): string {
  return `${String(microseconds).padStart(17, '0')} ${name}`;
}

/** The name in a {@link timeKey}. */
export function nameOfTimeKey(key: string): string {
  return key.slice(18);
}
