/** A question that several ask at once, whose answer holds for a while. */
import type { Clock } from '../base/clock.ts';

/** Gives an answer that is young enough; with `anew`, one that is asked for from now on. Rejects as the question does. */
export type AskAgain<T> = (anew?: boolean) => Promise<T>;

/** How long an answer holds, in milliseconds. */
const holdsMs = 2000;
/** No answer holds longer, however long the asking took. */
const longestMs = 30_000;

/**
 * Asks where the last answer is older than two seconds, reckoned from when it came, and than the asking took: so that asking
 * takes half of the time at most, in a registry of many projects. Whoever comes while it is being asked waits for that, and
 * does not go by what was said before. Where it fails nothing was answered: it rejects for all who wait, and the next one asks.
 */
export function createAskAgain<T>(clock: Clock, ask: () => Promise<T>): AskAgain<T> {
  let last: { readonly answer: T; readonly until: number } | undefined;
  let running: Promise<T> | undefined;
  const begin = async (): Promise<T> => {
    const began = clock.now();
    const answer = await ask();
    const now = clock.now();
    last = { answer, until: now + Math.max(holdsMs, Math.min(now - began, longestMs)) };
    return answer;
  };
  return async (anew = false) => {
    // What began before may have been answered before.
    if (anew) await running;
    if (last && !anew && !running && clock.now() <= last.until) return last.answer;
    running ??= begin().finally(() => {
      running = undefined;
    });
    return running;
  };
}
