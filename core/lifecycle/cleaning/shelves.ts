/** Where an image may lie: which digests and tags each registry has, and which of its repositories were looked at. Pure. */
import type { Digest } from '../../oci/digest.ts';
import type { Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { matchesGlob } from '../owned-tags.ts';

/** A registry of the facts. */
export interface KnownRegistry {
  /** In the configuration. */
  readonly name: string;
  readonly host: string;
  /** Globs of the repositories that are looked at. */
  readonly repositories: readonly string[];
}

/** What a repository has. */
export interface Shelf {
  readonly registry: string;
  readonly repository: string;
  readonly digests: ReadonlySet<Digest>;
  readonly tags: ReadonlyMap<string, Digest>;
}

/** What all of them have. */
export interface Shelves {
  /** By registry and repository. */
  readonly all: ReadonlyMap<string, ReadonlyMap<string, Shelf>>;
  /** The registry of a host; undefined where it is nobody's of ours. */
  ofHost(host: string | undefined): string | undefined;
  /** Whether a repository was read whole, so that what is not on its shelf is not there. */
  isRead(registry: string, repository: string): boolean;
  /** Whether an image is anywhere, or may be where nobody could look. */
  mayHave(digest: Digest): boolean;
}

/** Puts images on shelves; `places` are those of the facts. */
export function shelveImages(facts: PlanFacts, places: readonly Place[], known: readonly KnownRegistry[]): Shelves {
  const all = new Map<string, Map<string, { digests: Set<Digest>; tags: Map<string, Digest> } & Shelf>>();
  for (const { home, image } of places) {
    const { registry, repository } = home;
    const own = all.get(registry) ?? new Map();
    all.set(registry, own);
    const shelf = own.get(repository) ?? { registry, repository, digests: new Set(), tags: new Map() };
    own.set(repository, shelf);
    shelf.digests.add(image.digest);
    for (const tag of image.tags) shelf.tags.set(tag.name, image.digest);
  }
  const unread = listUnread(facts);
  const hosts = new Map(known.map(each => [each.host.toLowerCase(), each.name]));
  const digests = new Set(places.map(({ image }) => image.digest));
  return {
    all,
    mayHave: digest => unread.size > 0 || digests.has(digest),
    ofHost: host => hosts.get(host?.toLowerCase() ?? ''),
    isRead(registry, repository) {
      const looked = known.find(each => each.name === registry)?.repositories ?? [];
      return (
        !unread.has(registry) &&
        !unread.has(`${registry}/${repository}`) &&
        looked.some(glob => matchesGlob(repository, glob))
      );
    },
  };
}

/** Registries, and repositories behind a slash, that were not read whole. A registry that is not there was not read. */
function listUnread({ registries }: PlanFacts): Set<string> {
  const unread = new Set<string>();
  for (const { name, repositories } of registries) {
    if (repositories.kind === 'unread') unread.add(name);
    for (const repository of repositories.kind === 'whole' ? repositories.items : []) {
      if (repository.images.kind === 'unread') unread.add(`${name}/${repository.name}`);
    }
  }
  return unread;
}
