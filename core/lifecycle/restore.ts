/** Undo of a release: the tags come back and the tombstone goes. */
import { errorMessage, hasCode } from '../base/errors.ts';
import { imageRepository } from './inspect.ts';
import { putBack, removeTombstone } from './remove.ts';
import { placeOf, type Run, registryTime } from './surroundings.ts';
import { readTombstone, type TombstoneKey, takenOff } from './tombstone.ts';

/** What is not found so long after its release was collected before; until then a 404 may be that of a proxy. */
const hopelessMs = 48 * 60 * 60_000;

/**
 * Puts back every tag that a tombstone took off, as far as its image is still there, and removes the tombstone; `why` is
 * a clause for the report. Gives whether that is done; else the tombstone stays, and what it names is needed until then.
 */
export async function restoreBuild(run: Run, key: TombstoneKey, why: string): Promise<boolean> {
  const content = await readTombstone(run.registry, key);
  if (!content) return true;
  let failed = false;
  for (const image of content.images) {
    for (const tag of takenOff(image)) {
      const item = { projectId: key.projectId, buildId: key.buildId, subject: `${image.repository}:${tag}` };
      try {
        const on = run.dryRun
          ? image.digest
          : await putBack(imageRepository(run.registry, image.repository), tag, image.digest, run.log);
        const reason = on === image.digest ? why : `${why}, but the tag is on ${on} now`;
        run.report({ ...item, outcome: 'restored', reason });
      } catch (thrown) {
        run.report({ ...item, outcome: 'failed', reason: errorMessage(thrown) });
        if (hasCode(thrown, 'IMAGE_NOT_FOUND') && registryTime(run) - key.time > hopelessMs) continue;
        // The others can still come back; the tombstone stays, so that this one is tried again.
        failed = true;
        run.needed.set(placeOf(image), `its tag "${tag}" is to come back`);
      }
    }
  }
  if (!run.dryRun && !failed) await removeTombstone(run.registry, key, run.log);
  return !failed;
}
