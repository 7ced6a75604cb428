/** The stage before: an image goes on only where that stage's own record says that it was promoted there. */
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { headManifest } from '../oci/manifests.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository } from '../oci/repository.ts';
import { isPromoted } from './build-record.ts';
import { type BuildToPromote, readOwnRecords } from './promotable.ts';
import type { PlannedImage, PromotionPlan } from './promotion-plan.ts';

/**
 * Throws `NOT_PROMOTED`, naming each image that is missing, unless a record in `stage` says of every digest of the plan
 * that it was promoted there, and it is there now.
 */
export async function requirePromoted(
  stage: Registry,
  build: BuildToPromote,
  plan: PromotionPlan,
  log: Logger,
): Promise<void> {
  const records = (await readOwnRecords(stage, build, log)).filter(isPromoted);
  const recorded = records.flatMap(record => [...record.images, ...record.charts]);
  const isThere = async ({ image }: PlannedImage): Promise<boolean> => {
    const places = recorded.filter(each => each.digest === image.root);
    for (const { repository } of places) {
      if (await headManifest(openRepository(stage, repository, ['pull']), image.root)) return true;
    }
    return false;
  };
  const found = await mapConcurrently(plan.images, 8, isThere);
  const missing = plan.images.filter((_, at) => !found[at]);
  if (missing.length === 0) {
    log.info(`Every image of build ${build.buildId} was promoted to ${stage.host} before (${plan.images.length}).`);
    return;
  }
  const names = missing.map(({ image }) => `${image.source.label}@${image.root}`).join(', ');
  throw new AppError(
    `Of build ${build.buildId} these images were not promoted to ${stage.host} before, as requirePromotedTo wants: ${names}. Nothing was changed. Promote the build there first.`,
    { code: 'NOT_PROMOTED' },
  );
}
