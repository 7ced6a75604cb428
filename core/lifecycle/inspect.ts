/** Looks at a recorded image as it is now: is it there, locked, under which tags, of which children. Changes nothing. */
import { readManifestLock } from '../acr/attributes.ts';
import { listTagsOf } from '../acr/listings.ts';
import type { Digest } from '../oci/digest.ts';
import { getManifest, headManifest } from '../oci/manifests.ts';
import { isIndexType } from '../oci/media-types.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository, type Repository } from '../oci/repository.ts';
import type { ImageFacts } from './plan.ts';

/** An image to look at, as the records of one build name it. */
export interface NamedImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject?: Digest | undefined;
  readonly tags: readonly string[];
}

/** The facts of one image, and the children to remember. */
export interface Inspection {
  readonly facts: ImageFacts;
  /** What an index holds, at any depth. */
  readonly children: readonly Digest[];
}

/** A repository of images with the rights that deletion needs, and no more. */
export function imageRepository(registry: Registry, name: string): Repository {
  return openRepository(registry, name, ['pull', 'delete', 'metadata_read']);
}

/** Inspects one image; `buildTag` would tie it to its build. Every error throws: a missing fact must not look like one. */
export async function inspectImage(registry: Registry, image: NamedImage, buildTag: string): Promise<Inspection> {
  const repository = imageRepository(registry, image.repository);
  const nothing = { image, manifestLocked: false, tags: [], buildTagOn: undefined };
  const lock = await readManifestLock(repository, image.digest);
  if (!lock) return { facts: { ...nothing, exists: false }, children: [] };
  const tags = await listTagsOf(repository, image.digest);
  const isTied = tags.some(tag => tag.name === buildTag);
  const buildTagOn = isTied ? image.digest : (await headManifest(repository, buildTag))?.digest;
  return {
    facts: { image, exists: true, manifestLocked: !lock.canDelete || !lock.canWrite, tags, buildTagOn },
    children: await listDescendants(repository, image),
  };
}

/** The manifests of an index, and those of the indexes among them. */
async function listDescendants(
  repository: Repository,
  image: Pick<NamedImage, 'digest' | 'mediaType'>,
): Promise<Digest[]> {
  const found = new Set<Digest>();
  const unread = [image];
  for (let next = unread.pop(); next; next = unread.pop()) {
    const index = isIndexType(next.mediaType) ? await getManifest(repository, next.digest) : undefined;
    for (const child of index?.children ?? []) {
      if (!found.has(child.digest)) unread.push(child);
      found.add(child.digest);
    }
  }
  return [...found];
}
