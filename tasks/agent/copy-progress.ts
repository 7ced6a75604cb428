/** How far a copy is, in the agent's progress bar. */
import type { CopyProgress } from '../../core/oci/copy-progress.ts';
import { showProgress } from './log.ts';
import { formatBytes } from './markdown.ts';

/** Between these percents of the task, one line for each whole percent: a callback comes with every part that is sent. */
export function createCopyProgress(from: number, to: number): (progress: CopyProgress) => void {
  let shown = from;
  return progress => {
    const { sent, spared, total, left } = progress;
    const percent = Math.floor(from + ((to - from) * (sent + spared)) / Math.max(total, 1));
    if (percent <= shown) return;
    shown = percent;
    const images = progress.images > 1 ? `, ${progress.imagesDone} of ${progress.images} images` : '';
    const rate = sent > 0 ? ` at ${formatBytes(progress.bytesPerSecond)}/s` : '';
    showProgress(percent, `${formatBytes(sent)} sent${rate}, ${formatBytes(left)} left${images}`);
  };
}
