/** Token buckets by operation class and identity: https://learn.microsoft.com/azure/container-registry/container-registry-skus */
import type { SettableClock } from '../settable-clock.ts';
import type { OperationClass } from './request-log.ts';

/** Requests per window; a class without a number is not throttled. */
export interface ClassBudgets {
  /** Length of a window by the emulator's clock; a minute on a live registry. */
  readonly windowMs?: number;
  readonly Read?: number;
  readonly Write?: number;
  readonly Delete?: number;
  readonly ListReferrers?: number;
  readonly OAuth?: number;
}

/** What a bucket says to one request. */
export interface Verdict {
  /** Seconds to wait, when the bucket is empty. */
  readonly retryAfter?: number;
  /** The gauge that answers carry, in calls per second. */
  readonly remaining?: string;
}

/** Counts requests. */
export interface Throttle {
  take(operationClass: OperationClass, identity: string): Verdict;
}

interface Bucket {
  tokens: number;
  /** When it is full again; `Retry-After` counts down to it. */
  refillAt: number;
}

/** A live registry shows its gauge on these two classes only, also when nothing is throttled; recorded values. */
const idleGauges: Partial<Record<OperationClass, string>> = { OAuth: '166.65', Delete: '8.000000' };

/** Makes full buckets. */
export function createThrottle(clock: SettableClock, budgets: ClassBudgets = {}): Throttle {
  const windowMs = budgets.windowMs ?? 60_000;
  const buckets = new Map<string, Bucket>();

  function budgetOf(operationClass: OperationClass): number | undefined {
    return operationClass === 'Data' ? undefined : budgets[operationClass];
  }

  function takeOne(operationClass: OperationClass, identity: string): Verdict {
    const budget = budgetOf(operationClass);
    if (budget === undefined) return {};
    const key = `${operationClass} ${identity}`;
    const now = clock.now();
    let bucket = buckets.get(key);
    if (bucket === undefined || bucket.refillAt <= now) {
      bucket = { tokens: budget, refillAt: now + windowMs };
      buckets.set(key, bucket);
    }
    if (bucket.tokens < 1) return { retryAfter: Math.max(1, Math.ceil((bucket.refillAt - now) / 1000)) };
    bucket.tokens -= 1;
    return { remaining: ((bucket.tokens * 1000) / windowMs).toFixed(6) };
  }

  return {
    take: (operationClass, identity) => {
      // A referrers listing is a read, too, and must find a token in both buckets.
      if (operationClass === 'ListReferrers') {
        const read = takeOne('Read', identity);
        if (read.retryAfter !== undefined) return read;
      }
      const verdict = takeOne(operationClass, identity);
      const idle = idleGauges[operationClass];
      const isIdle = budgetOf(operationClass) === undefined && idle !== undefined;
      if (isIdle) return { remaining: idle };
      return operationClass === 'Delete' || operationClass === 'OAuth' || verdict.retryAfter !== undefined
        ? verdict
        : {};
    },
  };
}
