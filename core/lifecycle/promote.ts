/**
 * The verb behind PromoteImage: the same bytes in the stage's registry. The order is the promise: the record, then
 * everything that the images are made of, then one more look whether the build still lives, and the tags last.
 */
import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type CopiedImage, copyImages } from '../oci/copy-images.ts';
import type { Bring } from '../oci/copy-referrers.ts';
import type { CopyRun } from '../oci/copy-run.ts';
import type { Registry } from '../oci/registry.ts';
import { type Promoter, type RecordContent, type RecordedImage, writeRecord } from './build-record.ts';
import { type BuildToPromote, readOwnRecords } from './promotable.ts';
import type { PlannedImage, PromotionPlan } from './promotion-plan.ts';

/** What the verb works with. */
export interface PromoteDeps {
  /** The copying; one that only looks makes this a dry run. */
  readonly run: CopyRun;
  readonly target: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What to do. */
export interface PromoteRequest {
  readonly build: BuildToPromote;
  readonly plan: PromotionPlan;
  readonly referrers: boolean;
  /** Who promotes, for the record. */
  readonly by: Promoter;
  /** How graphs get there; copied through this machine unless told. */
  readonly bring?: Bring;
  /** Says whether the build still lives. Throws `BUILD_GONE` where it does not. */
  readonly checkBuild: () => Promise<void>;
}

/** What was done. */
export interface PromotedImage extends Omit<CopiedImage, 'image'> {
  readonly planned: PlannedImage;
}

/** Images as they are in the stage's registry now, and the records that were written there. */
export interface PromoteResult {
  readonly images: readonly PromotedImage[];
  /** Tags of the records; empty where the same was recorded before. */
  readonly records: readonly string[];
}

/**
 * Carries a plan out. Throws before anything is tagged where anything at all could not be brought;
 * what was brought by then has no tag, and the same call again goes on from there.
 */
export async function promote(deps: PromoteDeps, request: PromoteRequest): Promise<PromoteResult> {
  const { run } = deps;
  const { plan } = request;
  await request.checkBuild();
  const records = run.dryRun ? [] : await recordFirst(deps, request);
  const byImage = new Map(plan.images.map(planned => [planned.image, planned]));
  const copied = await copyImages(run, plan.images, {
    referrers: request.referrers,
    ...(request.bring && { bring: request.bring }),
    beforeTags: request.checkBuild,
  });
  return { images: copied.map(({ image, ...rest }) => ({ ...rest, planned: plannedOf(byImage, image) })), records };
}

function plannedOf(
  byImage: ReadonlyMap<PlannedImage['image'], PlannedImage>,
  image: PlannedImage['image'],
): PlannedImage {
  const planned = byImage.get(image);
  if (planned) return planned;
  throw new AppError(`${image.target.label}@${image.root} was copied, but not planned.`, { code: 'DEFECT' });
}

/**
 * Writes each record of the build with the names that its images have here, so that this registry explains itself and
 * deletion finds them. What is recorded already is not recorded again.
 */
async function recordFirst(deps: PromoteDeps, request: PromoteRequest): Promise<string[]> {
  const wanted = recordsOf(request, new Date(deps.clock.now()).toISOString());
  const there = new Set((await readOwnRecords(deps.target, request.build, deps.log)).map(contentOf));
  const missing = wanted.filter(record => !there.has(contentOf(record)));
  return mapConcurrently(missing, 4, async record => {
    const { repository, tag } = await writeRecord(deps.target, record);
    deps.log.info(`Recorded build ${record.build.id} in ${deps.target.host}/${repository}:${tag}.`);
    return tag;
  });
}

function recordsOf({ plan, by }: PromoteRequest, createdAt: string): RecordContent[] {
  const sources = new Set(plan.images.map(({ record }) => record));
  return [...sources].map(record => {
    const own = plan.images.filter(planned => planned.record === record);
    return {
      build: record.build,
      onBuildDeleted: record.onBuildDeleted,
      images: own.filter(({ isChart }) => !isChart).map(asRecorded),
      charts: own.flatMap(planned =>
        'version' in planned.recorded ? [{ ...planned.recorded, ...asRecorded(planned) }] : [],
      ),
      promotedFrom: plan.from,
      promotedBy: by,
      createdAt,
    };
  });
}

function asRecorded({ recorded, image }: PlannedImage): RecordedImage {
  const { mediaType, size, children, subject } = recorded;
  return {
    repository: image.target.name,
    digest: image.root,
    mediaType,
    size,
    children,
    ...(subject && { subject }),
    tags: [...image.tags],
  };
}

/** A record without who wrote it and when, in one order. */
function contentOf({ build, images, charts, onBuildDeleted, promotedFrom }: RecordContent): string {
  const content = { build, images, charts, onBuildDeleted, promotedFrom };
  return JSON.stringify(content, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
