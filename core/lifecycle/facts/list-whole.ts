/** Lists a repository until the list is whole by the repository's own counts: anew where it changed meanwhile. */
import { type RepositoryProperties, readRepositoryProperties } from '../../acr/attributes.ts';
import { findGap, type Listed } from '../../acr/find-gap.ts';
import { AppError } from '../../base/errors.ts';
import type { Repository } from '../../oci/repository.ts';
import { listTags } from '../../oci/tags.ts';

/** Every build writes records and every cleaner tombstones, so these lists change most, and a thousand tags are one request. */
const timesOfTags = 6;

/** A listing, with what it is held against the counts by. */
export interface Listing<T> extends Listed {
  readonly content: T;
  /** What in it contradicts itself, as it does where something moved while it was listed. */
  readonly contradiction?: string | undefined;
}

/** A whole listing, and the counts and the lock that the repository had before it. */
export interface WholeListing<T> {
  readonly content: T;
  readonly before: RepositoryProperties;
}

/**
 * Gives what `list` lists; undefined where the registry does not know the repository. `list` is told the counts before.
 * Throws `REGISTRY_UNEXPECTED` where something is missing, or it changed each of so many times; and where the registry fails.
 */
export async function listWhole<T>(
  repository: Repository,
  list: (before: RepositoryProperties) => Promise<Listing<T>>,
  times = 2,
): Promise<WholeListing<T> | undefined> {
  for (let left = times - 1; ; left -= 1) {
    const before = await readRepositoryProperties(repository);
    if (!before) return undefined;
    const { content, contradiction, ...listed } = await list(before);
    const gap = await findGap(repository, before, listed);
    if (!gap && contradiction === undefined) return { content, before };
    if (gap && !gap.hasChanged) throw unexpected(repository, gap.reason);
    if (left === 0) {
      throw unexpected(
        repository,
        `${gap?.reason ?? contradiction}, and so ${times === 2 ? 'once' : `${times - 1} times`} more`,
      );
    }
  }
}

/** Every tag of a repository, hidden ones counted; none where the registry does not know it. Throws as `listWhole` does. */
export async function listWholeTags(repository: Repository): Promise<ReadonlySet<string>> {
  const list = async () => {
    const tags = new Set(await listTags(repository));
    return { content: tags, countTags: () => tags.size };
  };
  const listing = await listWhole(repository, list, timesOfTags);
  return listing?.content ?? new Set();
}

function unexpected(repository: Repository, reason: string): AppError {
  return new AppError(`${repository.label}: ${reason}.`, { code: 'REGISTRY_UNEXPECTED' });
}
