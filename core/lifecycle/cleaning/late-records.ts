/**
 * What was recorded since the look, by whomever: a build that lives may have named an image that had no tag then, and the
 * build's tag may be on another one by now.
 */
import { listNewestManifests } from '../../acr/listings.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import { createAskAgain } from '../ask-again.ts';
import { parseRecordTag, recordRepository } from '../build-record.ts';
import { listProjectIds } from '../facts/list-projects.ts';
import { placeOfRecord, readRecords, strangerProject } from '../facts/read-records.ts';
import { createShareText } from '../facts/share-texts.ts';
import type { RegistryFacts } from '../keep-policy/policy-facts.ts';
import type { Surroundings } from '../surroundings.ts';
import type { LateVeto } from '../veto.ts';

/** Why that stays. */
export const recordedSince = 'a build has recorded it since it was planned';

/** Gives the images, by repository, that records of these projects name which the look did not know; asks each time. */
export type ReadLateRecords = (projects: readonly string[]) => Promise<ReadonlyMap<string, ReadonlySet<Digest>>>;

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
  return async projects => {
    await mapConcurrently(projects, 8, readNew);
    return named;
  };
}

/**
 * Makes the veto of what was recorded since a look at the registry, by these projects and by whoever else has left something
 * there. Without a right to the records of others it goes by those that the look could read, as the plan does; where it read
 * none at all, the plan lets nothing go, and there is nothing to ask.
 */
export function createLateVeto(
  { registry, clock }: Pick<Surroundings, 'registry' | 'clock'>,
  projects: readonly string[],
  { recordPlaces, othersUnread }: Pick<RegistryFacts, 'recordPlaces' | 'othersUnread'>,
): LateVeto | undefined {
  if (!recordPlaces) return undefined;
  const known = new Set([...projects, ...[...recordPlaces].map(place => place.slice(0, place.indexOf('/')))]);
  const readLate = createReadLateRecords(registry, recordPlaces);
  // Many repositories are collected, four at a time, and the answer is about all of them.
  const ask = createAskAgain(clock, async () => {
    const others = othersUnread === undefined ? await listProjectIds(registry, []) : [];
    return readLate([...new Set([...known, ...others])]);
  });
  return async repository => {
    const late = (await ask()).get(repository);
    return digest => (late?.has(digest) ? recordedSince : undefined);
  };
}

/** What was written last stands in front, so that the records of years are not listed for each repository. */
async function hasNew(registry: Registry, id: string, seen: ReadonlySet<string>): Promise<boolean> {
  const newest = await listNewestManifests(recordRepository(registry, id, ['pull', 'metadata_read']), newestAsked);
  const keys = newest.flatMap(({ tags }) => tags.flatMap(tag => parseRecordTag(id, tag) ?? []));
  return keys.some(key => !seen.has(placeOfRecord(key)));
}
