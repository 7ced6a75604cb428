/**
 * Takes back what was released of promoted copies while the configuration said "delete", where it keeps them by now.
 * A stage that runs an image by its tag needs the tag, and an untagged image is what every other cleaner looks for.
 */
import { AppError, hasCode } from '../base/errors.ts';
import type { RecordedBuild } from './recorded-builds.ts';
import { restoreBuild } from './restore.ts';
import type { Run } from './surroundings.ts';
import { isRelease, type TombstoneKey } from './tombstone.ts';

/**
 * Gives the builds without the tombstones that were taken back. One that failed stays and is told of. Throws where a
 * tombstone was not read for now: what it names is not known then, so nothing must be collected.
 */
export async function takeBackCopies(run: Run, builds: readonly RecordedBuild[]): Promise<RecordedBuild[]> {
  const left: RecordedBuild[] = [];
  for (const build of builds) {
    const tombstones: TombstoneKey[] = [];
    for (const key of build.tombstones) {
      const isTakenBack = isToTakeBack(key, run) && !run.timeBox.isOver() && (await takeBack(run, key));
      if (!isTakenBack) tombstones.push(key);
    }
    left.push({ ...build, tombstones });
  }
  return left;
}

/** Whether it released promoted copies that the configuration keeps by now: it is neither gone on with nor collected. */
export function isToTakeBack(key: TombstoneKey, { rules }: Pick<Run, 'rules'>): boolean {
  return rules.promoted === 'keep' && key.copies && isRelease(key);
}

async function takeBack(run: Run, key: TombstoneKey): Promise<boolean> {
  run.signal?.throwIfAborted();
  try {
    return await restoreBuild(run, key, 'the configuration keeps promoted copies now');
  } catch (thrown) {
    // A damaged one is that build's trouble alone.
    if (!(thrown instanceof AppError) || !hasCode(thrown, 'RECORD_UNREADABLE')) throw thrown;
    const { projectId, buildId } = key;
    run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'failed', reason: thrown.message });
    return false;
  }
}
