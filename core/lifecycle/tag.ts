/**
 * The verb behind TagImage: puts a build's tags on images that are in the registry, and records them.
 * The order is the promise: everything is looked at, then the record is written whole, then the tags.
 */

import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError, inputError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { getManifest, headManifest, putManifest } from '../oci/manifests.ts';
import { isTag } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import { type BuildIdentity, listRecordKeys, type RecordedImage, readRecord, writeRecord } from './build-record.ts';

/** What the verb works with. */
export interface TagDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An image to tag: where it is now. */
export interface ImageToTag {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
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
  const moves = await findMoves(deps, request, resolved);
  const record = await writeRecord(registry, {
    build: request.build,
    images: resolved.map(({ image }) => image),
    charts: [],
    onBuildDeleted: request.onBuildDeleted,
    createdAt: new Date(clock.now()).toISOString(),
  });
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
  { repository: name, reference }: ImageToTag,
  tags: readonly string[],
): Promise<Resolved> {
  const repository = openRepository(registry, name, ['pull', 'push']);
  const manifest = await getManifest(repository, reference);
  if (!manifest) {
    throw new AppError(
      `${repository.label}${reference.startsWith('sha256:') ? '@' : ':'}${reference} is not in the registry. Was it pushed there before this step?`,
      { code: 'IMAGE_NOT_FOUND' },
    );
  }
  const named = reference.startsWith('sha256:') ? [] : [reference];
  return {
    repository,
    manifest,
    image: {
      repository: name,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      size: [manifest.config, ...manifest.layers, ...manifest.children].reduce(
        (sum, part) => sum + (part?.size ?? 0),
        manifest.bytes.byteLength,
      ),
      children: manifest.children.map(child => child.digest),
      subject: manifest.subject?.digest,
      tags: [...new Set([...tags, ...named])],
    },
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
    byRepository.set(each.repository.name, { ...each, image: { ...each.image, tags } });
  }
  return [...byRepository.values()];
}

interface Move {
  readonly repository: string;
  readonly tag: string;
  readonly from: Digest;
}

/** The tags that hold another digest. Throws `TAG_TAKEN` unless each may be moved. */
async function findMoves(deps: TagDeps, request: TagRequest, resolved: readonly Resolved[]): Promise<Move[]> {
  const places = resolved.flatMap(each => request.tags.map(tag => ({ ...each, tag })));
  const taken = await mapConcurrently(places, atOnce, async ({ repository, manifest, tag }) => {
    const head = await headManifest(repository, tag);
    return head && head.digest !== manifest.digest ? [{ repository: repository.name, tag, from: head.digest }] : [];
  });
  const moves = taken.flat();
  if (moves.length === 0 || request.overwrite) return moves;
  const earlier = await imagesOfEarlierAttempts(deps.registry, request.build);
  const foreign = moves.find(
    ({ repository, tag, from }) =>
      !earlier.some(image => image.repository === repository && image.digest === from && image.tags.includes(tag)),
  );
  if (!foreign) return moves;
  throw new AppError(
    `${deps.registry.host}/${foreign.repository}:${foreign.tag} already names ${foreign.from}, and no earlier attempt of this job put it there. Nothing was changed. Set overwrite to true to move the tag.`,
    { code: 'TAG_TAKEN' },
  );
}

/** What earlier attempts of this same job recorded: a rerun may take its own tags back, another step of this run may not. */
async function imagesOfEarlierAttempts(registry: Registry, build: BuildIdentity): Promise<RecordedImage[]> {
  const keys = await listRecordKeys(registry, build.projectId, build.id);
  const readings = await mapConcurrently(keys, atOnce, key => readRecord(registry, key));
  return readings.flatMap(reading =>
    reading.kind === 'record' && isEarlierAttempt(reading.record.build, build) ? reading.record.images : [],
  );
}

function isEarlierAttempt(other: BuildIdentity, build: BuildIdentity): boolean {
  if (other.collectionId !== build.collectionId || other.stage !== build.stage || other.job !== build.job) return false;
  const [stage = 0, job = 0] = build.attempt.split('.').map(Number);
  const [otherStage = 0, otherJob = 0] = other.attempt.split('.').map(Number);
  return otherStage < stage || (otherStage === stage && otherJob < job);
}

async function putTag(repository: Repository, tag: string, manifest: Manifest): Promise<void> {
  await putManifest(repository, tag, manifest);
  const now = await headManifest(repository, tag);
  if (now?.digest === manifest.digest) return;
  throw new AppError(
    `${repository.label}:${tag} was set to ${manifest.digest}, but reads as ${now?.digest ?? 'missing'}: another job moves the same tag at the same time.`,
    { code: 'TAG_TAKEN', retryable: true },
  );
}
