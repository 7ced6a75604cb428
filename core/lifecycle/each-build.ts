/** Does something for each build, several at a time: what fails for one is told of, and the others go on. */
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError, hasCode } from '../base/errors.ts';
import type { BuildKey } from './rules.ts';
import type { Run } from './surroundings.ts';

const buildsAtOnce = 8;

/**
 * Works on each build, and gives what came of all of them. Begins none when the time is over. Throws what is no error of
 * ours, and `BRAKE` when those that were begun have ended.
 */
export async function eachBuild<B extends BuildKey, R>(
  run: Run,
  builds: readonly B[],
  work: (build: B) => Promise<readonly R[]>,
): Promise<R[]> {
  let braked: unknown;
  run.timeBox.expect('builds', builds.length);
  const results = await mapConcurrently(builds, buildsAtOnce, async build => {
    if (braked || run.timeBox.isOver()) return [];
    try {
      const found = await work(build);
      run.timeBox.finish('builds');
      return found;
    } catch (thrown) {
      run.signal?.throwIfAborted();
      if (hasCode(thrown, 'BRAKE')) braked = thrown;
      else if (thrown instanceof AppError) reportFailure(run, build, thrown.message);
      else throw thrown;
      return [];
    }
  });
  if (braked) throw braked as Error;
  return results.flat();
}

function reportFailure(run: Run, { projectId, buildId }: BuildKey, reason: string): void {
  run.report({ projectId, buildId, subject: `build ${buildId}`, outcome: 'failed', reason });
}
