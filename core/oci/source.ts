/**
 * Where images are copied from: a repository of a registry, an OCI layout, an archive of `docker save`.
 * What a source gives is not trusted: manifests are verified by whoever reads them, blobs while they move.
 */
import { settleAll } from '../base/concurrency.ts';
import { type BlobBody, openBlob } from './blobs.ts';
import type { Digest } from './digest.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { getManifest, headManifest } from './manifests.ts';
import { listReferrers, referrersTag } from './referrers.ts';
import type { Repository } from './repository.ts';
import { listTags } from './tags.ts';

/** A tag that keeps something about an image by its name, such as cosign's `sha256-….sig`. */
export interface DigestTag {
  readonly tag: string;
  readonly digest: Digest;
}

/** Images to copy, each by its digest. Every method throws where the source gives no usable answer. */
export interface ImageSource {
  /** `registry/repository`, or the path of an archive, for messages. */
  readonly label: string;
  /** Set where the source is a repository: inside one registry blobs are mounted from it. */
  readonly repository?: Repository;
  /** The manifest's exact bytes, verified; undefined where there is none. */
  getManifest(digest: Digest): Promise<Manifest | undefined>;
  /** The bytes of a blob from `offset` on, not verified. Throws `IMAGE_NOT_FOUND` where there is none. */
  openBlob(blob: Descriptor, offset: number, signal?: AbortSignal): Promise<BlobBody>;
  /** What refers to `digest` directly. */
  listReferrers(digest: Digest): Promise<readonly Descriptor[]>;
  /** The tags `sha256-<digest>…`, where cosign v2 and the referrers tag schema keep signatures. */
  listDigestTags(digest: Digest): Promise<readonly DigestTag[]>;
}

/**
 * A repository as a source, for one run: its tags are listed once. The registry's own words are judged by its client; see
 * `blobs.ts` and `manifests.ts`.
 */
export function repositorySource(repository: Repository): ImageSource {
  let tags: Promise<string[]> | undefined;
  return {
    label: repository.label,
    repository,
    getManifest: digest => getManifest(repository, digest),
    openBlob: (blob, offset, signal) => openBlob(repository, blob.digest, offset, signal),
    listReferrers: digest => listReferrers(repository, digest),
    async listDigestTags(digest) {
      // One list for all manifests: most have no such tag, and where a prefix finds nothing everything is listed anyway.
      tags ??= listTags(repository).catch((thrown: unknown) => {
        tags = undefined;
        throw thrown;
      });
      const about = (await tags).filter(tag => tag.startsWith(referrersTag(digest)));
      const found = await settleAll(about.map(tag => readDigestTag(repository, tag)));
      return found.flatMap(each => each ?? []);
    },
  };
}

/** A tag that went between the list and the question is not there. */
async function readDigestTag(repository: Repository, tag: string): Promise<DigestTag | undefined> {
  const head = await headManifest(repository, tag);
  return head && { tag, digest: head.digest };
}
