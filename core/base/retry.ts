/** Trying again, with a bound: how long to wait, and when to stop. */
import type { Clock } from './clock.ts';

/** How an attempt ended: with a value, or with a failure that may be tried again. */
export type Attempt<T> =
  | { readonly done: T }
  | {
      readonly failed: Error;
      /** What the other side asked us to wait, in milliseconds; it does not count as a failure of ours. */
      readonly waitMs?: number;
    };

/** Bounds of one piece of work. */
export interface RetryPolicy {
  /** Attempts that fail on their own account, the first included. */
  readonly attempts: number;
  /** The first pause in milliseconds; it doubles each time, with a random part. */
  readonly firstPauseMs: number;
  /** All pauses that the other side asked for, added up, in milliseconds. */
  readonly maxWaitMs: number;
}

/** Five attempts within about 15 s of pauses, and as much as 15 minutes of waiting that was asked for. */
export const defaultRetryPolicy: RetryPolicy = { attempts: 5, firstPauseMs: 500, maxWaitMs: 15 * 60_000 };

/** The pause after so many failures in a row, in milliseconds. */
export function pauseAfter(failures: number, { firstPauseMs }: RetryPolicy): number {
  return firstPauseMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
}

/** Runs `attempt` until it is done or a bound is reached; then throws the last failure. A signal ends the pauses. */
export async function retry<T>(
  attempt: () => Promise<Attempt<T>>,
  clock: Clock,
  policy: RetryPolicy = defaultRetryPolicy,
  signal?: AbortSignal,
): Promise<T> {
  let failures = 0;
  let waited = 0;
  for (;;) {
    const result = await attempt();
    if ('done' in result) return result.done;
    if (result.waitMs === undefined) {
      failures += 1;
      if (failures >= policy.attempts) throw result.failed;
      await clock.sleep(pauseAfter(failures, policy), signal);
    } else {
      waited += result.waitMs;
      if (waited > policy.maxWaitMs) throw result.failed;
      await clock.sleep(result.waitMs, signal);
    }
  }
}
