/** What the tombstones of a registry say: which images were released, and since when builds are absent. */
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import type { BuildName } from '../keep-policy/policy-facts.ts';
import { placeOf } from '../surroundings.ts';
import { isRelease, listTombstones, readTombstone, type TombstoneKey } from '../tombstone.ts';
import type { RecordProject } from './read-records.ts';
import type { AbsenceFact } from './registry-reading.ts';

/** What tombstones say of an image. */
export interface Release {
  /** Builds on whose account it was released. */
  readonly released: readonly BuildName[] | undefined;
  /** When the last of these tombstones was written; undefined while the release of one has not run to its end. */
  readonly releasedAt: number | undefined;
}

/** The images that were released. */
export interface Releases {
  of(repository: string, digest: Digest): Release;
}

const notReleased: Release = { released: undefined, releasedAt: undefined };

/** Nothing was released, or it is not known. */
export const noReleases: Releases = { of: () => notReleased };

/**
 * Reads the tombstones of projects. One that is gone by then says nothing any more. Throws `RECORD_UNREADABLE` where one
 * is damaged, and as the registry does.
 */
export async function readTombstones(
  registry: Registry,
  projects: readonly RecordProject[],
): Promise<{ releases: Releases; absences: AbsenceFact[] }> {
  const listed = await mapConcurrently(projects, 8, async project => {
    const keys = await listTombstones(registry, project.id);
    return keys.map(key => ({ key, build: { ...project.name, id: key.buildId } }));
  });
  const all = listed.flat();
  const releases = new Map<string, Release>();
  const read = await mapConcurrently(
    all.filter(({ key }) => isRelease(key)),
    16,
    async each => ({ ...each, content: await readTombstone(registry, each.key) }),
  );
  for (const { key, build, content } of read) {
    for (const image of content?.images ?? []) {
      if (!image.claimed) continue;
      const place = placeOf(image);
      releases.set(place, joinRelease(releases.get(place), build, key));
    }
  }
  return {
    releases: { of: (repository, digest) => releases.get(placeOf({ repository, digest })) ?? notReleased },
    absences: all.flatMap(({ key, build }) => absenceOf(key, build) ?? []),
  };
}

function joinRelease(known: Release | undefined, build: BuildName, { done, time }: TombstoneKey): Release {
  const at = done ? time : undefined;
  if (!known) return { released: [build], releasedAt: at };
  const others = known.released ?? [];
  const isKnown = others.some(each => each.project === build.project && each.id === build.id);
  return {
    released: isKnown ? others : [...others, build],
    releasedAt: known.releasedAt === undefined || at === undefined ? undefined : Math.max(known.releasedAt, at),
  };
}

function absenceOf(
  { kind, definitionId: definition, time: since }: TombstoneKey,
  build: BuildName,
): AbsenceFact | undefined {
  switch (kind) {
    case 'seen-build':
      return { build, definition, seen: 'build', since };
    case 'seen-definition':
      return { build, definition, seen: 'definition', since };
    case 'deleted':
    case 'absent':
      return { build, definition, seen: 'released', since };
    case 'kept':
      return undefined;
  }
}
