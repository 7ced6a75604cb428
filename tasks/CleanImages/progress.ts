/** How far a step is, in the agent's progress bar. */
import type { Estate } from '../../core/lifecycle/facts/estate.ts';
import { showProgress } from '../agent/log.ts';

/** Each reader tells its own share, and how many readers there will be nobody knows: each gets this part of what is left. */
const partOfRest = 0.2;

/**
 * Between these percents of the step. It never goes back and never reaches the end by itself: where a share begins anew,
 * the next reader is at work. One line for each of them and each whole percent, since a callback comes with every repository.
 */
export function createProgress(from: number, to: number): NonNullable<Estate['onProgress']> {
  let rest = to - from;
  let last = 0;
  let shown = -1;
  return (what, share) => {
    const isNext = share < last;
    if (isNext) rest *= 1 - partOfRest * last;
    last = share;
    const percent = Math.floor(to - rest * (1 - partOfRest * share));
    if (percent <= shown && !isNext) return;
    shown = Math.max(percent, shown);
    showProgress(shown, what);
  };
}
