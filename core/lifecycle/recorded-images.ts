/** The images that a chart of this build may pin: what the build itself recorded. */
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Registry } from '../oci/registry.ts';
import type { RecordedImage } from './build-record.ts';
import { type BuildToPromote, readNewestRecords } from './promotable.ts';
import { placeOf } from './surroundings.ts';

/**
 * Reads the images of the build's newest attempts, each once; neither charts, nor what refers to an image, nor the
 * platforms of an index that is recorded itself. Throws `RECORD_NOT_FOUND` where there is none, `RECORD_UNREADABLE`.
 */
export async function readBuildImages(
  registry: Registry,
  build: BuildToPromote,
  log: Logger,
): Promise<RecordedImage[]> {
  const records = await readNewestRecords(registry, build, log);
  const recorded = records.flatMap(record => record.images);
  const children = recorded.flatMap(image => image.children.map(digest => placeOf({ ...image, digest })));
  const inIndexes = new Set(children);
  const images = new Map<string, RecordedImage>();
  for (const image of recorded) {
    if (image.subject === undefined && !inIndexes.has(placeOf(image))) images.set(placeOf(image), image);
  }
  if (images.size > 0) return [...images.values()];
  throw new AppError(
    `${registry.host} has no record of an image of build ${build.buildId}, so there is nothing to pin. Run TagImage before this step, in this build and for this registry, or name the images.`,
    { code: 'RECORD_NOT_FOUND' },
  );
}
