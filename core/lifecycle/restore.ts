/** Undo: the build turned out to live, so its tags come back and its tombstone goes. */
import { errorMessage } from '../base/errors.ts';
import { imageRepository } from './inspect.ts';
import { putBack, removeTombstone } from './remove.ts';
import type { Run } from './surroundings.ts';
import { readTombstone, type TombstoneKey } from './tombstone.ts';

/** Puts back every tag that a tombstone took off, as far as its image is still there, and removes the tombstone. */
export async function restoreBuild(run: Run, key: TombstoneKey): Promise<void> {
  const content = await readTombstone(run.registry, key);
  if (!content) return;
  let failed = false;
  for (const image of content.images) {
    for (const tag of image.untag) {
      const item = { projectId: key.projectId, buildId: key.buildId, subject: `${image.repository}:${tag}` };
      try {
        const on = run.dryRun
          ? image.digest
          : await putBack(imageRepository(run.registry, image.repository), tag, image.digest, run.log);
        const reason =
          on === image.digest
            ? 'the build is alive after all'
            : `the build is alive after all, but the tag is on ${on} now`;
        run.report({ ...item, outcome: 'restored', reason });
      } catch (thrown) {
        // The others can still come back; the tombstone stays, so that this one is tried again.
        run.report({ ...item, outcome: 'failed', reason: errorMessage(thrown) });
        failed = true;
      }
    }
  }
  if (!run.dryRun && !failed) await removeTombstone(run.registry, key, run.log);
}
