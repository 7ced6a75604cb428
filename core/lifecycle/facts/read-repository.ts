/** The images of one repository: every manifest with its tags, locks and children, held against the repository's own counts. */
import { type AcrManifest, type AcrTag, listAllTags, listManifests } from '../../acr/listings.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import { AppError } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { dockerManifest, isIndexType } from '../../oci/media-types.ts';
import type { Registry } from '../../oci/registry.ts';
import { openRepository, type Repository } from '../../oci/repository.ts';
import { looksLikeContent } from '../content-tags.ts';
import type { ImageFact, TagFact } from '../keep-policy/policy-facts.ts';
import { leafTypes } from '../read-graph.ts';
import { type Listing, listWhole } from './list-whole.ts';
import { type LinksCache, type ManifestLinks, readLinks } from './manifest-links.ts';
import type { OnManifest } from './registry-reading.ts';

/** What reading the repositories of one registry shares. */
export interface RepositoryRun {
  readonly registry: Registry;
  readonly cache: LinksCache;
  readonly onManifest?: OnManifest | undefined;
}

interface Content {
  readonly manifests: ReadonlyMap<Digest, AcrManifest>;
  readonly tags: ReadonlyMap<Digest, readonly AcrTag[]>;
}

/** Forms of an image from before there were subjects. */
const subjectless = new Set([
  dockerManifest,
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
]);

const noTags: readonly TagFact[] = [];
const noChildren: readonly Digest[] = [];

/** A repository whose images are read, with no other right. */
export function readableRepository(registry: Registry, name: string): Repository {
  return openRepository(registry, name, ['pull', 'metadata_read']);
}

/**
 * Reads the images of a repository; none where the registry does not know it, as an emptied one may stay in the catalog.
 * What images but indexes refer to is left for read-subjects.ts. Throws where the list is not whole, an index cannot be
 * read, or the registry fails.
 */
export async function readImages(run: RepositoryRun, name: string): Promise<ImageFact[]> {
  const repository = readableRepository(run.registry, name);
  for (let isAgain = false; ; isAgain = true) {
    const listing = await listWhole(repository, before => listContent(repository, before.tagCount > 0));
    if (!listing) return [];
    const { content, before } = listing;
    const lost = await readIndexes(run, repository, content);
    if (lost === undefined) {
      const isLocked = !before.canDelete || !before.canWrite;
      return [...content.manifests.values()].map(each => imageOf(run, each, { content, isLocked }));
    }
    // It may have gone since it was listed.
    if (isAgain) {
      const words = `${repository.label}@${lost} is listed, but cannot be read.`;
      throw new AppError(words, { code: 'REGISTRY_UNEXPECTED' });
    }
  }
}

/** The list of manifests may leave tags out where a digest has many, so the list of tags says which are on it, and since when. */
async function listContent(repository: Repository, hasTags: boolean): Promise<Listing<Content>> {
  const manifests = await listManifests(repository);
  const byName = new Map<string, AcrTag>();
  let contradiction: string | undefined;
  for (const tag of hasTags ? await listAllTags(repository) : []) {
    const known = byName.get(tag.name);
    if (known && known.digest !== tag.digest) contradiction = `its tag "${tag.name}" is listed twice, on two digests`;
    byName.set(tag.name, tag);
  }
  const tags = new Map<Digest, AcrTag[]>();
  for (const tag of byName.values()) {
    if (!manifests.has(tag.digest)) contradiction = `its tag "${tag.name}" is on ${tag.digest}, which is not listed`;
    const others = tags.get(tag.digest);
    if (others) others.push(tag);
    else tags.set(tag.digest, [tag]);
  }
  for (const manifest of manifests.values()) {
    const moved = manifest.tags.find(name => byName.get(name)?.digest !== manifest.digest);
    if (moved !== undefined) contradiction = `its lists disagree about what the tag "${moved}" is on`;
  }
  return {
    content: { manifests, tags },
    contradiction,
    manifests: manifests.size,
    countTags: () => byName.size,
  };
}

/** Reads every index, and what may be a chart whose tag names its content; gives one that is not there. */
async function readIndexes(run: RepositoryRun, repository: Repository, content: Content): Promise<Digest | undefined> {
  const needed = [...content.manifests.values()].filter(({ digest, mediaType }) => {
    const tags = content.tags.get(digest) ?? [];
    return isIndexType(mediaType) || mediaType === '' || tags.some(tag => looksLikeContent(tag.name));
  });
  const found = await mapConcurrently(needed, 16, ({ digest }) =>
    readLinks(run.cache, repository, digest, run.onManifest),
  );
  return needed.find((_, at) => found[at] === undefined)?.digest;
}

function imageOf(
  { cache }: RepositoryRun,
  manifest: AcrManifest,
  { content, isLocked }: { content: Content; isLocked: boolean },
): ImageFact {
  const { share } = cache;
  const links = cache.known.get(manifest.digest);
  const digest = share(manifest.digest);
  const tags = content.tags.get(manifest.digest)?.map(tag => tagOf(tag, links));
  return {
    digest,
    mediaType: share(links?.mediaType ?? manifest.mediaType),
    size: manifest.size,
    locked: manifest.locked || isLocked,
    pushedAt: manifest.changedAt,
    tags: tags ?? noTags,
    // Of a form that is not known here nobody can say what it holds.
    children: links?.children ?? (leafTypes.has(manifest.mediaType) ? noChildren : undefined),
    subject: links?.subject ?? (subjectless.has(manifest.mediaType) ? 'none' : undefined),
    // Tombstones say that, which are read later.
    released: undefined,
    releasedAt: undefined,
  };
}

function tagOf({ name, locked, changedAt }: AcrTag, links: ManifestLinks | undefined): TagFact {
  return { name, locked, changedAt, content: links?.contentTag === name };
}
