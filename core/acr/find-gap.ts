/** Whether a listing is whole: what is hidden (`listEnabled: false`) or cut off is in the repository's own counts alone. */
import type { Repository } from '../oci/repository.ts';
import { type RepositoryProperties, readRepositoryProperties } from './attributes.ts';

/** How much was listed. */
export interface Listed {
  /** Undefined where tags alone were listed. */
  readonly manifests?: number | undefined;
  /** How many tags were, where the repository counts `expected`. */
  readonly countTags: (expected: number) => number | Promise<number>;
}

/** Why a listing may not be whole, for people; where the repository changed meanwhile, another listing may be. */
export interface Gap {
  readonly reason: string;
  readonly hasChanged: boolean;
}

/**
 * Holds a listing against the counts `before` it and now: asked after it as well, a push meanwhile shows, and so does a
 * deletion, which would make up for what is hidden. Undefined where nothing is missing. Throws where the registry fails.
 */
export async function findGap(
  repository: Repository,
  before: RepositoryProperties,
  listed: Listed,
): Promise<Gap | undefined> {
  const counts = await readRepositoryProperties(repository);
  if (!counts) return { reason: 'it vanished while it was listed', hasChanged: true };
  if (counts.manifestCount !== before.manifestCount || counts.tagCount !== before.tagCount) {
    return { reason: 'it changed while it was listed', hasChanged: true };
  }
  const { manifests = counts.manifestCount } = listed;
  if (counts.manifestCount !== manifests) return missing('manifests', counts.manifestCount, manifests);
  const tags = await listed.countTags(counts.tagCount);
  return counts.tagCount === tags ? undefined : missing('tags', counts.tagCount, tags);
}

function missing(what: string, counted: number, listed: number): Gap {
  return {
    reason: `it has ${counted} ${what}, but lists ${listed}: some are hidden, or the list was cut or is stale`,
    hasChanged: false,
  };
}
