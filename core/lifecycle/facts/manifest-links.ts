/** What manifests hold and refer to, by their own bytes. A digest says what is in it, so each is read once in a run, in whatever registry. */
import { createLimit, type Limit } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { getManifest } from '../../oci/manifests.ts';
import { acceptManifests, ociArtifact } from '../../oci/media-types.ts';
import type { Repository } from '../../oci/repository.ts';
import { contentTagOf } from '../content-tags.ts';
import type { OnManifest } from './registry-reading.ts';
import { createShareText, type ShareText } from './share-texts.ts';

/** What one manifest says. */
export interface ManifestLinks {
  readonly mediaType: string;
  /** The manifests of an index; empty for every other. */
  readonly children: readonly Digest[];
  readonly subject: Digest | 'none';
  /** The tag that names its content, where it is a chart of such a version. */
  readonly contentTag: string | undefined;
}

/** What is known of manifests by now; one for all registries of a run. */
export interface LinksCache {
  readonly known: Map<Digest, ManifestLinks>;
  readonly running: Map<Digest, Promise<ManifestLinks | undefined>>;
  readonly limit: Limit;
  readonly share: ShareText;
}

/** More at once would not be faster: a registry gives 5,000 answers in a minute. https://learn.microsoft.com/azure/container-registry/container-registry-skus */
const readsAtOnce = 32;

/** What of older clients' signatures is still there has a subject, too. */
const accepted = `${acceptManifests}, ${ociArtifact}`;

const noChildren: readonly Digest[] = [];

/** Knows nothing yet. */
export function createLinksCache(): LinksCache {
  return { known: new Map(), running: new Map(), limit: createLimit(readsAtOnce), share: createShareText() };
}

/** Reads a manifest unless it is known; undefined where the repository has none of this digest. Throws where the registry fails. */
export async function readLinks(
  cache: LinksCache,
  repository: Repository,
  digest: Digest,
  onManifest?: OnManifest,
): Promise<ManifestLinks | undefined> {
  for (;;) {
    const known = cache.known.get(digest);
    if (known) return known;
    const other = cache.running.get(digest);
    if (!other) break;
    // Another repository may lack it or fail, which says nothing of this one.
    const found = await other.catch(() => undefined);
    if (found) return found;
  }
  const reading = cache
    .limit(() => getManifest(repository, digest, accepted))
    .then(manifest => {
      if (!manifest) return undefined;
      onManifest?.(manifest, { host: repository.registry.host, repository: repository.name, digest });
      const links = linksOf(manifest, cache.share);
      cache.known.set(digest, links);
      return links;
    });
  cache.running.set(digest, reading);
  try {
    return await reading;
  } finally {
    cache.running.delete(digest);
  }
}

function linksOf(manifest: Manifest, share: ShareText): ManifestLinks {
  const { mediaType, children, subject } = manifest;
  return {
    mediaType: share(mediaType),
    children: children.length === 0 ? noChildren : children.map(child => share(child.digest)),
    subject: subject ? share(subject.digest) : 'none',
    contentTag: contentTagOf(manifest),
  };
}
