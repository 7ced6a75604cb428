/**
 * What a promotion would do: which images, under which names and tags, and what stands in its way. Changes nothing.
 * Everything that can be refused is refused here, before the first byte moves.
 */
import { AppError, inputError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import type { Logger } from '../base/log.ts';
import { type ImageState, lookAtImages } from '../oci/copy-images.ts';
import type { CopyRun } from '../oci/copy-run.ts';
import type { Digest } from '../oci/digest.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository } from '../oci/repository.ts';
import type { ImageSource } from '../oci/source.ts';
import type { BuildRecord, RecordedChart, RecordedImage } from './build-record.ts';
import { fillTagPattern } from './tag-pattern.ts';
import { mapRepository, type RepositoryMapping } from './target-repository.ts';

/** What the records of one build name, and where it is. */
export interface Promotable {
  readonly records: readonly BuildRecord[];
  /** The registry's host, or what else the images come from, for records and messages. */
  readonly from: string;
  /** Opens the place of one image. */
  readonly open: (image: RecordedImage) => ImageSource;
  /** The digest that the build's own tag is on, where two images of one repository are recorded; undefined for none. */
  readonly tagged: (repository: string) => Promise<Digest | undefined>;
}

/** How to promote. */
export interface PromotionRules {
  readonly mapping: RepositoryMapping;
  /** In front of the build id in the build tag. */
  readonly buildTagPrefix: string;
  /** Beside the build tag, which is always put: it is what ties an image to its build in this registry, too. */
  readonly tags: readonly string[];
  readonly onExistingTag: 'fail' | 'skip-if-same' | 'overwrite';
  readonly charts: boolean;
}

/** One image of the plan. */
export interface PlannedImage extends ImageState {
  /** As the build's record names it. */
  readonly recorded: RecordedImage | RecordedChart;
  readonly isChart: boolean;
  readonly record: BuildRecord;
  /** Tags that are on another digest now and will be moved. */
  readonly moves: readonly { readonly tag: string; readonly from: Digest }[];
}

/** Everything that a promotion needs to know. */
export interface PromotionPlan {
  readonly from: string;
  readonly images: readonly PlannedImage[];
}

/** One image of the records, chosen. */
export interface Chosen {
  readonly recorded: RecordedImage | RecordedChart;
  readonly isChart: boolean;
  readonly record: BuildRecord;
}

/** Plans. Throws `INPUT_INVALID` or `TAG_TAKEN`, naming the place, with nothing changed. */
export async function planPromotion(
  { run, target, log }: { readonly run: CopyRun; readonly target: Registry; readonly log: Logger },
  promotable: Promotable,
  rules: PromotionRules,
): Promise<PromotionPlan> {
  const chosen = await chooseImages(promotable, rules);
  if (chosen.length === 0) throw inputError(`The records of the build in ${promotable.from} name no image.`);
  const images = chosen.map(each => {
    const repository = mapRepository(each.recorded.repository, rules.mapping);
    const copy = {
      source: promotable.open(each.recorded),
      target: openRepository(target, repository, ['pull', 'push']),
      root: each.recorded.digest,
      tags: tagsOf(each, rules),
    };
    if (copy.source.label === copy.target.label) {
      throw inputError(
        `${copy.target.label} is where the image comes from. Name another registry, or a repositoryPrefix.`,
      );
    }
    return { ...each, image: copy };
  });
  checkTargets(images.map(({ image }) => ({ place: image.target.label, root: image.root })));
  const states = await lookAtImages(
    run,
    images.map(({ image }) => image),
  );
  const planned = images.map((each, at) => withMoves({ ...each, ...(states[at] as ImageState) }));
  for (const each of planned) checkTags(each, rules.onExistingTag, log);
  return { from: promotable.from, images: planned };
}

/** Throws `INPUT_INVALID` where two builds of one promotion want the same tag for different images. */
export function checkTogether(plans: readonly PromotionPlan[]): void {
  const taken = new Map<string, Digest>();
  for (const { image } of plans.flatMap(plan => plan.images)) {
    for (const tag of image.tags) {
      const place = `${image.target.label}:${tag}`;
      const other = taken.get(place) ?? image.root;
      if (other !== image.root) {
        throw inputError(
          `Two builds are to put ${place}, on ${other} and on ${image.root}. Use a step for each of them.`,
        );
      }
      taken.set(place, image.root);
    }
  }
}

/** Each image once; of two in one repository the one that the build's tag is on, which a rerun of another job moved there. */
export async function chooseImages(
  promotable: Pick<Promotable, 'records' | 'from' | 'tagged'>,
  rules: Pick<PromotionRules, 'charts'>,
): Promise<Chosen[]> {
  const all = promotable.records.flatMap(record => [
    ...record.images.map(recorded => ({ recorded, record, isChart: false })),
    ...(rules.charts ? record.charts : []).map(recorded => ({ recorded, record, isChart: true })),
  ]);
  const chosen: Chosen[] = [];
  for (const [repository, found] of groupBy(all, each => each.recorded.repository)) {
    const byDigest = groupBy(found, each => each.recorded.digest);
    const digest = byDigest.size === 1 ? found[0]?.recorded.digest : await promotable.tagged(repository);
    const [first] = byDigest.get(digest ?? ('' as Digest)) ?? [];
    if (!first) {
      throw inputError(
        `The records of the build name several images in ${promotable.from}/${repository}: ${[...byDigest.keys()].join(', ')}. The build's tag is on none of them, so nothing says which is meant.`,
      );
    }
    chosen.push(first);
  }
  return chosen;
}

function tagsOf({ recorded, record, isChart }: Chosen, rules: PromotionRules): string[] {
  const buildTag = `${rules.buildTagPrefix}${record.build.id}`;
  // A chart is found by its version, so that goes with it; the patterns are for images.
  const others = isChart ? recorded.tags : rules.tags.map(pattern => fillTagPattern(pattern, record.build));
  return [...new Set([buildTag, ...others])];
}

function checkTargets(places: readonly { readonly place: string; readonly root: Digest }[]): void {
  for (const [place, all] of groupBy(places, each => each.place)) {
    const [first, other] = all;
    if (!first || !other) continue;
    throw inputError(
      `Two images are to go to ${place}, ${first.root} and ${other.root}. Give each a repository of its own.`,
    );
  }
}

function withMoves(image: Omit<PlannedImage, 'moves'>): PlannedImage {
  const moves = [...image.tags].flatMap(([tag, from]) => (from && from !== image.image.root ? [{ tag, from }] : []));
  return { ...image, moves };
}

function checkTags({ image, tags, moves }: PlannedImage, rule: PromotionRules['onExistingTag'], log: Logger): void {
  const { label } = image.target;
  const [move] = moves;
  if (move && rule === 'overwrite') {
    for (const { tag, from } of moves) log.info(`${label}:${tag} will move from ${from} to ${image.root}.`);
    return;
  }
  if (move) {
    throw new AppError(
      `${label}:${move.tag} is on ${move.from}, and ${image.root} was to get it. Nothing was changed. Set onExistingTag to overwrite to move the tag.`,
      { code: 'TAG_TAKEN' },
    );
  }
  const [taken] = [...tags].find(([, digest]) => digest !== undefined) ?? [];
  if (rule !== 'fail' || taken === undefined) return;
  throw new AppError(
    `${label}:${taken} is there already, on the same image. Nothing was changed. Set onExistingTag to skip-if-same to let that be.`,
    { code: 'TAG_TAKEN' },
  );
}
