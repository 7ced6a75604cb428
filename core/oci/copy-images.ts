/**
 * Copies images with their tags: everything of every image first, the tags last. So a tag never names what is not whole,
 * and where one image fails, none of them is tagged.
 */
import { createLimit, settleAll } from '../base/concurrency.ts';
import { type CopyPath, copyGraph } from './copy.ts';
import { type Bring, type CopiedReferrers, copyReferrers } from './copy-referrers.ts';
import { type CopyRun } from './copy-run.ts';
import type { Digest } from './digest.ts';
import { headManifest } from './manifests.ts';
import { putTag, readBack } from './put-tag.ts';

/** One image to copy, by its digest, and the tags that it is to have. */
export interface ImageToCopy extends CopyPath {
  readonly root: Digest;
  readonly tags: readonly string[];
}

/** What its tags are on in the target before anything was changed; undefined where there is none. */
export interface ImageState {
  readonly image: ImageToCopy;
  readonly tags: ReadonlyMap<string, Digest | undefined>;
}

/** What became of one image. */
export interface CopiedImage extends CopiedReferrers {
  readonly image: ImageToCopy;
  /** The tags that were put, because they were not there or on something else. */
  readonly tagged: readonly string[];
}

/** How to copy images. */
export interface CopyImagesOptions {
  /** Whether what refers to them goes with them. */
  readonly referrers: boolean;
  /** Brings a graph in another way than by {@link copyGraph}. */
  readonly bring?: Bring;
  /** Runs when everything is there, before the first tag is put; what it throws leaves everything without a tag. */
  readonly beforeTags?: () => Promise<void>;
}

const imagesAtOnce = 8;

/** Looks at the tags: one request for each. Changes nothing. */
export function lookAtImages(run: CopyRun, images: readonly ImageToCopy[]): Promise<ImageState[]> {
  return settleAll(
    images.map(async image => {
      const heads = image.tags.map(async (tag): Promise<[string, Digest | undefined]> => {
        const head = await run.request(() => headManifest(image.target, tag));
        return [tag, head?.digest];
      });
      return { image, tags: new Map(await settleAll(heads)) };
    }),
  );
}

/**
 * Copies images that were looked at. One that has all its tags already was whole when they were put, so no more is asked
 * about it than what refers to it. Throws the first failure, when nothing of the run is under way any more.
 */
export async function copyImages(
  run: CopyRun,
  states: readonly ImageState[],
  options: CopyImagesOptions,
): Promise<CopiedImage[]> {
  const bring = options.bring ?? ((path, root) => copyGraph(run, path, root));
  const limit = createLimit(imagesAtOnce);
  run.tally.addImages(states.length);
  const bringOne = async (state: ImageState) => {
    const { image } = state;
    const missing = missingTags(state);
    if (missing.length > 0) await bring(image, image.root);
    const about = options.referrers
      ? await copyReferrers(run, image, image.root, bring)
      : { referrers: [], digestTags: [] };
    run.tally.image();
    return { image, missing, about };
  };
  const brought = await settleAll(states.map(state => limit(() => bringOne(state))));
  if (run.dryRun) return brought.map(({ image, missing, about }) => ({ image, tagged: missing, ...about }));
  const untagged = brought.filter(({ missing }) => missing.length > 0);
  await options.beforeTags?.();
  await settleAll(untagged.map(({ image, missing }) => tagImage(run, image, missing)));
  return brought.map(({ image, missing, about }) => ({ image, tagged: missing, ...about }));
}

async function tagImage(run: CopyRun, { target, root }: ImageToCopy, tags: readonly string[]): Promise<void> {
  const manifest = await run.request(() => readBack(target, root));
  for (const tag of tags) await run.request(() => putTag(target, tag, manifest));
  run.log.info(`Tagged ${target.label}@${root} with ${tags.join(', ')}.`);
}

function missingTags({ image, tags }: ImageState): string[] {
  return image.tags.filter(tag => tags.get(tag) !== image.root);
}
