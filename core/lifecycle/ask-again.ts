/** A question that several ask at once, whose answer holds for a while. */
import type { Clock } from '../base/clock.ts';

/** Gives an answer that is young enough; with `anew`, one that is asked for from now on. Rejects as the question does. */
export type AskAgain<T> = (anew?: boolean) => Promise<T>;

/**
 * Asks where the last answer is older than `holdsMs`, reckoned from when it came. Whoever comes while it is being asked waits
 * for that, and does not go by what was said before. Where it fails nothing was answered: it rejects for all who wait, and
 * the next one asks.
 */
export function createAskAgain<T>(clock: Clock, holdsMs: number, ask: () => Promise<T>): AskAgain<T> {
  let last: { readonly answer: T; readonly at: number } | undefined;
  let running: Promise<T> | undefined;
  const begin = async (): Promise<T> => {
    const answer = await ask();
    last = { answer, at: clock.now() };
    return answer;
  };
  return async (anew = false) => {
    // What began before may have been answered before.
    if (anew) await running;
    if (last && !anew && !running && clock.now() - last.at <= holdsMs) return last.answer;
    running ??= begin().finally(() => {
      running = undefined;
    });
    return running;
  };
}
