/** Looks at a recorded image as it is now: is it there, locked, under which tags, of which children. Changes nothing. */
import { readManifestLock } from '../acr/attributes.ts';
import { type AcrTag, listTagsOf } from '../acr/listings.ts';
import { AppError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { getManifest, headManifest } from '../oci/manifests.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import { isContentTagOf, looksLikeContent } from './content-tags.ts';
import type { ImageFacts, NamedImage } from './plan.ts';

/** What an image holds, at any depth, and what it and those refer to. */
export interface Links {
  readonly children: readonly Digest[];
  readonly subjects: Readonly<Record<Digest, Digest>>;
}

/** The facts of one image, and its links to remember. */
export interface Inspection {
  readonly facts: ImageFacts;
  readonly links: Links;
}

/** A repository of images with the rights that deletion needs, and no more. */
export function imageRepository(registry: Registry, name: string): Repository {
  return openRepository(registry, name, ['pull', 'delete', 'metadata_read']);
}

/** Inspects one image; `buildTag` would tie it to its build. Every error throws: a missing fact must not look like one. */
export async function inspectImage(registry: Registry, image: NamedImage, buildTag: string): Promise<Inspection> {
  const repository = imageRepository(registry, image.repository);
  const nothing = { image, manifestLocked: false, tags: [], contentTags: [], buildTagOn: undefined };
  const lock = await readManifestLock(repository, image.digest);
  if (!lock) return { facts: { ...nothing, exists: false }, links: { children: [], subjects: {} } };
  const tags = await listTagsOf(repository, image.digest);
  const isTied = tags.some(tag => tag.name === buildTag);
  const buildTagOn = isTied ? image.digest : (await headManifest(repository, buildTag))?.digest;
  return {
    facts: {
      image,
      exists: true,
      manifestLocked: !lock.canDelete || !lock.canWrite,
      tags,
      contentTags: await readContentTags(repository, image, tags),
      buildTagOn,
    },
    links: await readLinks(repository, image, isTied),
  };
}

/** Those of its tags that the build recorded and that name its content; the chart itself says whether they do. */
async function readContentTags(repository: Repository, image: NamedImage, tags: readonly AcrTag[]): Promise<string[]> {
  const alike = tags.map(tag => tag.name).filter(name => looksLikeContent(name) && image.tags.includes(name));
  if (alike.length === 0) return [];
  const manifest = await getManifest(repository, image.digest);
  if (!manifest) throw unreadable(repository, image.digest);
  return alike.filter(name => isContentTagOf(manifest, name));
}

/** What the manifests of an index hold and refer to, at any depth. */
async function readLinks(repository: Repository, image: NamedImage, isTied: boolean): Promise<Links> {
  const children = new Set<Digest>();
  const subjects: Record<Digest, Digest> = {};
  // What carries the build's tag is the build's; of anything else its own bytes say what it is, not a record.
  const isPlain = isTied && !isIndexType(image.mediaType) && image.subject === undefined;
  const unread: Pick<Descriptor, 'digest'>[] = isPlain ? [] : [image];
  for (let next = unread.pop(); next; next = unread.pop()) {
    const manifest = await getManifest(repository, next.digest);
    if (!manifest && next === image) throw unreadable(repository, image.digest);
    if (manifest?.subject) subjects[next.digest] = manifest.subject.digest;
    for (const child of manifest?.children ?? []) {
      if (!children.has(child.digest) && !isPlatformImage(child)) unread.push(child);
      children.add(child.digest);
    }
  }
  return { children: [...children], subjects };
}

function unreadable(repository: Repository, digest: Digest): AppError {
  return new AppError(`${repository.label}@${digest} is there, but cannot be read.`, { code: 'REGISTRY_UNEXPECTED' });
}

/** An image for a platform refers to nothing; an attestation names none, or "unknown". https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
function isPlatformImage({ mediaType, platform, artifactType }: Descriptor): boolean {
  const os = platform?.os ?? 'unknown';
  return isManifestType(mediaType) && os !== 'unknown' && artifactType === undefined;
}
