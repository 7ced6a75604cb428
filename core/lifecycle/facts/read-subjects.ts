/**
 * What images refer to: one request for each, so only in repositories where something may go. In the others it stays
 * unread, and the plan keeps what is there.
 */
import { mapConcurrently } from '../../base/concurrency.ts';
import { isIndexType, isManifestType, ociArtifact } from '../../oci/media-types.ts';
import type { ImageFact, RegistryFacts, RepositoryFact } from '../keep-policy/policy-facts.ts';
import type { EstateRegistry } from './estate.ts';
import { createLinksCache, type LinksCache, readLinks } from './manifest-links.ts';
import { readableRepository } from './read-repository.ts';
import type { ListedImage, OnManifest } from './registry-reading.ts';
import { readWhole } from './unread.ts';
import { withSignal } from './with-signal.ts';

/** Where to read, and who is told. */
export interface SubjectOptions {
  /** Whether an image may go; left out, every image may. */
  readonly mayGo?: ((image: ListedImage) => boolean) | undefined;
  /** With it every manifest is read that can be, whatever refers to something. */
  readonly onManifest?: OnManifest | undefined;
  /** What was read before, of any registry. */
  readonly cache?: LinksCache | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, share: number) => void) | undefined;
}

const repositoriesAtOnce = 8;

/**
 * Gives the facts with the subjects of every image of the repositories where one may go. What vanished meanwhile keeps an
 * unknown subject; a repository where the registry fails becomes unread, with why. Throws the signal's reason.
 */
export async function readSubjects(
  from: Pick<EstateRegistry, 'registry'>,
  facts: RegistryFacts,
  options: SubjectOptions = {},
): Promise<RegistryFacts> {
  const { mayGo = () => true, signal, onProgress, cache = createLinksCache() } = options;
  if (facts.repositories.kind === 'unread') return facts;
  const registry = withSignal(from.registry, signal);
  const all = facts.repositories.items;
  let done = 0;
  const items = await mapConcurrently(all, repositoriesAtOnce, async (repository): Promise<RepositoryFact> => {
    const { name, images } = repository;
    done += 1;
    onProgress?.(`reading what the images of ${facts.name}/${name} refer to`, done / all.length);
    if (images.kind === 'unread') return repository;
    if (!images.items.some(image => mayGo({ registry: facts.name, repository: name, image }))) return repository;
    const opened = readableRepository(registry, name);
    const read = (image: ImageFact): Promise<ImageFact> | ImageFact =>
      isReadable(image, options)
        ? readLinks(cache, opened, image.digest, options.onManifest).then(links => ({
            ...image,
            subject: image.subject ?? links?.subject,
          }))
        : image;
    return {
      name,
      images: await readWhole(() => mapConcurrently(images.items, 16, async image => read(image)), signal),
    };
  });
  return { ...facts, repositories: { kind: 'whole', items } };
}

function isReadable({ mediaType, subject }: ImageFact, { onManifest }: SubjectOptions): boolean {
  const isKnownForm = isManifestType(mediaType) || isIndexType(mediaType) || mediaType === ociArtifact;
  return isKnownForm && (subject === undefined || onManifest !== undefined);
}
