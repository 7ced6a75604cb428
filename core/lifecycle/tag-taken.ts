/** Which tags are on another image, and whether the build may move them. */
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { headManifest } from '../oci/manifests.ts';
import type { Registry } from '../oci/registry.ts';
import type { Repository } from '../oci/repository.ts';
import { type BuildIdentity, listRecordKeys, type RecordedImage, readRecord } from './build-record.ts';

/** Images, each with where it shall have every one of the tags. */
export interface TagPlaces {
  readonly build: BuildIdentity;
  readonly images: readonly { readonly repository: Repository; readonly digest: Digest }[];
  readonly tags: readonly string[];
  /** Moves a tag that holds another digest, whoever put it there. */
  readonly overwrite: boolean;
  /** What to do about a tag that may not be moved, for the message. */
  readonly remedy: string;
}

/** A tag that will leave another digest. */
export interface Move {
  readonly repository: string;
  readonly tag: string;
  readonly from: Digest;
}

const atOnce = 8;

/** The tags that hold another digest. Throws `TAG_TAKEN` unless each may be moved. */
export async function findMoves(registry: Registry, request: TagPlaces): Promise<Move[]> {
  const places = request.images.flatMap(each => request.tags.map(tag => ({ ...each, tag })));
  const taken = await mapConcurrently(places, atOnce, async ({ repository, digest, tag }) => {
    const head = await headManifest(repository, tag);
    return head && head.digest !== digest ? [{ repository: repository.name, tag, from: head.digest }] : [];
  });
  const moves = taken.flat();
  if (moves.length === 0 || request.overwrite) return moves;
  const earlier = await imagesOfEarlierAttempts(registry, request.build);
  const foreign = moves.find(
    ({ repository, tag, from }) =>
      !earlier.some(image => image.repository === repository && image.digest === from && image.tags.includes(tag)),
  );
  if (!foreign) return moves;
  throw new AppError(
    `${registry.host}/${foreign.repository}:${foreign.tag} already names ${foreign.from}, and no earlier attempt of this job put it there. Nothing was changed. ${request.remedy}`,
    { code: 'TAG_TAKEN' },
  );
}

/** What earlier attempts of this same job recorded: a rerun may take its own tags back, another step of this run may not. */
async function imagesOfEarlierAttempts(registry: Registry, build: BuildIdentity): Promise<RecordedImage[]> {
  const keys = await listRecordKeys(registry, build.projectId, build.id);
  const readings = await mapConcurrently(keys, atOnce, key => readRecord(registry, key));
  return readings.flatMap(reading =>
    reading.kind === 'record' && isEarlierAttempt(reading.record.build, build)
      ? [...reading.record.images, ...reading.record.charts]
      : [],
  );
}

function isEarlierAttempt(other: BuildIdentity, build: BuildIdentity): boolean {
  if (other.collectionId !== build.collectionId || other.stage !== build.stage || other.job !== build.job) return false;
  const [stage = 0, job = 0] = build.attempt.split('.').map(Number);
  const [otherStage = 0, otherJob = 0] = other.attempt.split('.').map(Number);
  return otherStage < stage || (otherStage === stage && otherJob < job);
}
