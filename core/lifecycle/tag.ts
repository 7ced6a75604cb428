/**
 * The verb behind TagImage: puts a build's tags on images that are in the registry or are brought there, and records
 * them. The order is the promise: everything is looked at, then the record is written whole, then what the images are
 * made of, and the tags last.
 */
import type { Clock } from '../base/clock.ts';
import { mapConcurrently, settleAll } from '../base/concurrency.ts';
import { AppError, inputError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { copyGraph } from '../oci/copy.ts';
import type { CopyProgress } from '../oci/copy-progress.ts';
import { copyReferrers } from '../oci/copy-referrers.ts';
import { createCopyRun } from '../oci/copy-run.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { getManifest } from '../oci/manifests.ts';
import { putTag, readBack } from '../oci/put-tag.ts';
import { isTag } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import type { ImageSource } from '../oci/source.ts';
import { type BuildIdentity, type RecordedImage, writeRecord } from './build-record.ts';
import { describeImage } from './recorded-image.ts';
import { findMoves } from './tag-taken.ts';

/** What the verb works with. */
export interface TagDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  /** How far the images are that are brought to the registry; called at every change, so it must be quick. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** An image to tag. */
export interface ImageToTag {
  readonly repository: string;
  /** A tag or a digest; a digest where there is a `source`. */
  readonly reference: string;
  /** Where it is brought from, with what refers to it; without one it is in the repository already. */
  readonly source?: ImageSource;
}

/** What to do. */
export interface TagRequest {
  readonly build: BuildIdentity;
  readonly images: readonly ImageToTag[];
  /** The build tag first; it ties the image to the build. */
  readonly tags: readonly [string, ...string[]];
  readonly onBuildDeleted: 'delete' | 'keep';
  /** Moves a tag that holds another digest, whoever put it there. */
  readonly overwrite: boolean;
}

/** What became of one image. */
export interface TaggedImage extends RecordedImage {
  /** What a tag held before, where it was another digest. */
  readonly moved: readonly { readonly tag: string; readonly from: Digest }[];
}

/** What was done. */
export interface TagResult {
  readonly images: readonly TaggedImage[];
  readonly record: { readonly repository: string; readonly tag: string; readonly digest: Digest };
}

interface Resolved {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly image: RecordedImage;
  readonly source?: ImageSource | undefined;
}

const atOnce = 8;

/**
 * Tags and records. Throws `INPUT_INVALID`, `IMAGE_NOT_FOUND` or `TAG_TAKEN` before anything was changed;
 * a failure after that leaves a record that names tags which are not there yet, and the same call again mends it.
 */
export async function tagImages(deps: TagDeps, request: TagRequest): Promise<TagResult> {
  const { registry, clock, log } = deps;
  checkTags(request.tags);
  const found = await mapConcurrently(request.images, atOnce, image => resolve(registry, image, request.tags));
  const resolved = mergeSame(found);
  const places = resolved.map(({ repository, manifest }) => ({ repository, digest: manifest.digest }));
  const moves = await findMoves(registry, {
    ...request,
    images: places,
    remedy: 'Set overwrite to true to move the tag.',
  });
  const record = await writeRecord(registry, {
    build: request.build,
    images: resolved.map(({ image }) => image),
    charts: [],
    onBuildDeleted: request.onBuildDeleted,
    createdAt: new Date(clock.now()).toISOString(),
  });
  await bring(deps, resolved);
  const images = await mapConcurrently(resolved, atOnce, async ({ repository, manifest, image }) => {
    for (const tag of request.tags) await putTag(repository, tag, manifest);
    log.info(`Tagged ${repository.label}@${manifest.digest} with ${request.tags.join(', ')}.`);
    return { ...image, moved: moves.filter(move => move.repository === repository.name) };
  });
  return { images, record };
}

function checkTags(tags: readonly string[]): void {
  const wrong = tags.find(tag => !isTag(tag));
  if (wrong === undefined) return;
  throw inputError(
    `"${wrong.slice(0, 200)}" is not a tag: 1 to 128 letters, digits, ".", "_" and "-"; the first is not "." or "-".`,
  );
}

async function resolve(
  registry: Registry,
  { repository: name, reference, source }: ImageToTag,
  tags: readonly string[],
): Promise<Resolved> {
  const repository = openRepository(registry, name, ['pull', 'push']);
  const manifest =
    source && isDigest(reference) ? await source.getManifest(reference) : await getManifest(repository, reference);
  if (!manifest) {
    throw new AppError(
      source
        ? `${source.label}: the image ${reference} is not in it.`
        : `${repository.label}${isDigest(reference) ? '@' : ':'}${reference} is not in the registry. Was it pushed there before this step?`,
      { code: 'IMAGE_NOT_FOUND' },
    );
  }
  const named = isDigest(reference) ? [] : [reference];
  return {
    repository,
    manifest,
    source,
    image: describeImage(name, manifest, [...tags, ...named]),
  };
}

/** The same image named twice is one; two images for one repository would fight for its tags. */
function mergeSame(found: readonly Resolved[]): Resolved[] {
  const byRepository = new Map<string, Resolved>();
  for (const each of found) {
    const other = byRepository.get(each.repository.name);
    if (other && other.manifest.digest !== each.manifest.digest) {
      throw inputError(
        `Two images are to get the same tag in ${each.repository.label}: ${other.manifest.digest} and ${each.manifest.digest}. Give each a repository of its own, or tag them in steps with different tags.`,
      );
    }
    const tags = [...new Set([...(other?.image.tags ?? []), ...each.image.tags])];
    const source = each.source ?? other?.source;
    byRepository.set(each.repository.name, { ...each, source, image: { ...each.image, tags } });
  }
  return [...byRepository.values()];
}

/** Brings the images that are not in the registry yet, and reads them back: no tag of the build is put before all are whole. */
async function bring({ log, onProgress }: TagDeps, resolved: readonly Resolved[]): Promise<void> {
  const run = createCopyRun({ log, ...(onProgress && { onProgress }) });
  await settleAll(
    resolved.map(async ({ source, repository, manifest: { digest } }) => {
      if (!source) return;
      const path = { source, target: repository };
      await copyGraph(run, path, digest);
      await copyReferrers(run, path, digest, (each, root) => copyGraph(run, each, root));
      await readBack(repository, digest);
      log.info(`Pushed ${repository.label}@${digest} from ${source.label}.`);
    }),
  );
}
