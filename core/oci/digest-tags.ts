/**
 * Tags that keep something about an image by its digest. The target's own may hold more than the source's, such as a
 * signature that the stage itself made, so one that differs is never just overwritten.
 */
import type { CopyPath, CopyRun } from './copy.ts';
import type { Digest } from './digest.ts';
import { type Descriptor, encodeManifest, type Manifest } from './manifest.ts';
import { getManifest, headManifest } from './manifests.ts';
import { isIndexType, ociIndex } from './media-types.ts';
import { putTag, readBack } from './put-tag.ts';
import { referrersTag } from './referrers.ts';
import type { Repository } from './repository.ts';
import type { DigestTag } from './source.ts';

/** A referrer, and what it says. */
export interface ListedReferrer {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/**
 * Puts a digest tag of the source into the target, whose image was brought already. Where the target has another image
 * under it: the source's when that holds all of the target's, both together when they are lists of referrers, and
 * else the target's own, with a warning.
 */
export async function mergeDigestTag(
  run: CopyRun,
  { source, target }: CopyPath,
  { tag, digest }: DigestTag,
): Promise<void> {
  const head = await run.request(() => headManifest(target, tag));
  if (run.dryRun || head?.digest === digest) return;
  const ours = await run.request(() => readBack(target, digest));
  const theirs = head && (await run.request(() => getManifest(target, head.digest)));
  if (!theirs || holdsAll(ours, theirs)) return run.request(() => putTag(target, tag, ours));
  if (holdsAll(theirs, ours)) return;
  if (isIndexType(ours.mediaType) && isIndexType(theirs.mediaType)) {
    const merged = [...theirs.children, ...ours.children.filter(child => !has(theirs.children, child.digest))];
    return run.request(() => putTag(target, tag, encodeIndex(merged)));
  }
  run.log.warn(
    `${target.label}:${tag} was left as it is: it holds what ${source.label}:${tag} does not, and the other way round.`,
  );
}

/** Adds referrers to the list that clients read in a registry without the referrers API. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
export async function mergeReferrersTag(
  run: CopyRun,
  target: Repository,
  subject: Digest,
  referrers: readonly ListedReferrer[],
): Promise<void> {
  const tag = referrersTag(subject);
  const there = (await run.request(() => getManifest(target, tag)))?.children ?? [];
  const missing = referrers.filter(({ digest }) => !has(there, digest)).map(describe);
  if (missing.length > 0) await run.request(() => putTag(target, tag, encodeIndex([...there, ...missing])));
}

function describe({ digest, manifest }: ListedReferrer): Descriptor {
  const { mediaType, bytes, artifactType = manifest.config?.mediaType, annotations } = manifest;
  return { mediaType, digest, size: bytes.byteLength, artifactType, annotations: { ...annotations } };
}

function encodeIndex(manifests: readonly Descriptor[]): Manifest {
  return encodeManifest({ schemaVersion: 2, mediaType: ociIndex, manifests });
}

function holdsAll(one: Manifest, other: Manifest): boolean {
  const parts = partsOf(one);
  return one.mediaType === other.mediaType && partsOf(other).every(digest => parts.includes(digest));
}

/** What somebody put there; the config only sums the layers up. */
function partsOf({ children, layers }: Manifest): Digest[] {
  return [...children, ...layers].map(part => part.digest);
}

function has(descriptors: readonly Descriptor[], digest: Digest): boolean {
  return descriptors.some(each => each.digest === digest);
}
