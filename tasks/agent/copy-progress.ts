/** How far a copy is, in the agent's progress bar. */
import type { CopyProgress } from '../../core/oci/copy-progress.ts';
import { showProgress } from './log.ts';

/** Between these percents of the task, one line for each whole percent: a callback comes with every part that is sent. */
export function createCopyProgress(from: number, to: number): (progress: CopyProgress) => void {
  let shown = from;
  return ({ sent, spared, total }) => {
    const percent = Math.floor(from + ((to - from) * (sent + spared)) / Math.max(total, 1));
    if (percent <= shown) return;
    shown = percent;
    showProgress(percent, `${Math.round(sent / 1e6)} MB sent, ${Math.round((total - sent - spared) / 1e6)} MB left`);
  };
}
