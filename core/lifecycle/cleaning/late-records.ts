/**
 * What was recorded since the look, by whomever: a build that lives may have named an image that had no tag then, and the
 * build's tag may be on another one by now.
 */
import { listNewestManifests } from '../../acr/listings.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import { parseRecordTag, recordRepository } from '../build-record.ts';
import { placeOfRecord, readRecords, strangerProject } from '../facts/read-records.ts';
import { createShareText } from '../facts/share-texts.ts';

/** Gives the images of a repository that records of these projects name which the look did not know; asks each time. */
export type ReadLateRecords = (repository: string, projects: readonly string[]) => Promise<ReadonlySet<Digest>>;

const newestAsked = 100;

/**
 * Makes the question for one registry. `known` are the places of the records that the look knew, where it had any. It asks
 * once for each project, and where something is new it lists the records of that one and reads the new ones. It throws
 * `RECORD_UNREADABLE` where one cannot be read, and as the registry does: then nothing may be deleted.
 */
export function createReadLateRecords(registry: Registry, known: ReadonlySet<string> | undefined): ReadLateRecords {
  const share = createShareText();
  const seen = new Set(known);
  const named = new Map<string, Set<Digest>>();
  const readNew = async (id: string): Promise<void> => {
    if (!(await hasNew(registry, id, seen))) return;
    // Whoever wrote them, what they name stays until a look has judged it.
    const { records, places } = await readRecords(registry, [strangerProject(id, 'it is new')], share, seen);
    for (const { repository, digest } of records.flatMap(each => each.images)) {
      const digests = named.get(repository) ?? new Set();
      named.set(repository, digests.add(digest));
    }
    for (const place of places) seen.add(place);
  };
  return async (repository, projects) => {
    await mapConcurrently(projects, 8, readNew);
    return named.get(repository) ?? new Set();
  };
}

/** What was written last stands in front, so that the records of years are not listed for each repository. */
async function hasNew(registry: Registry, id: string, seen: ReadonlySet<string>): Promise<boolean> {
  const newest = await listNewestManifests(recordRepository(registry, id, ['pull', 'metadata_read']), newestAsked);
  const keys = newest.flatMap(({ tags }) => tags.flatMap(tag => parseRecordTag(id, tag) ?? []));
  return keys.some(key => !seen.has(placeOfRecord(key)));
}
