/** What the tombstones of a registry say: which images were released, and since when builds are absent. */
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import { isSameBuild } from '../keep-policy/known-builds.ts';
import type { BuildName, ReleasingBuild } from '../keep-policy/policy-facts.ts';
import { placeOf } from '../surroundings.ts';
import { isRelease, listTombstones, readTombstone, type TombstoneKey, takenOff } from '../tombstone.ts';
import type { RecordProject } from './read-records.ts';
import type { AbsenceFact } from './registry-reading.ts';

/** What tombstones say of an image. */
export interface Release {
  /** Builds on whose account it was released, or an index that it is a child of. */
  readonly released: readonly ReleasingBuild[] | undefined;
  /** When the last of these tombstones was written; undefined while the release of one has not run to its end. */
  readonly releasedAt: number | undefined;
  /** Tags that came off it, or were about to. */
  readonly takenTags: readonly string[] | undefined;
}

/** The images that were released. */
export interface Releases {
  of(repository: string, digest: Digest): Release;
}

const notReleased: Release = { released: undefined, releasedAt: undefined, takenTags: undefined };

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
  const add = (place: string, join: (known: Release) => Release): void => {
    releases.set(place, join(releases.get(place) ?? notReleased));
  };
  const read = await mapConcurrently(
    all.filter(({ key }) => isRelease(key)),
    16,
    async each => ({ ...each, content: await readTombstone(registry, each.key) }),
  );
  for (const { key, build, content } of read) {
    const releasing = { ...build, recorded: content !== undefined && content.records.length > 0 };
    for (const image of content?.images ?? []) {
      const { repository, digest, children, claimed } = image;
      add(placeOf(image), known => joinTaken(known, takenOff(image)));
      // A child goes with its index, and where that went first, it is still to go.
      for (const each of claimed ? new Set([digest, ...children]) : []) {
        add(placeOf({ repository, digest: each }), known => joinRelease(known, releasing, key));
      }
    }
  }
  return {
    releases: { of: (repository, digest) => releases.get(placeOf({ repository, digest })) ?? notReleased },
    absences: all.flatMap(({ key, build }) => absenceOf(key, build) ?? []),
  };
}

function joinTaken(known: Release, tags: readonly string[]): Release {
  if (tags.length === 0) return known;
  return { ...known, takenTags: [...new Set([...(known.takenTags ?? []), ...tags])] };
}

function joinRelease(known: Release, build: ReleasingBuild, { done, time }: TombstoneKey): Release {
  const at = done ? time : undefined;
  const { released, releasedAt } = known;
  if (!released) return { ...known, released: [build], releasedAt: at };
  const others = released.filter(each => !isSameBuild(each, build));
  const same = released.filter(each => isSameBuild(each, build));
  const recorded = [build, ...same].every(each => each.recorded === true);
  return {
    ...known,
    released: [...others, { ...build, recorded }],
    releasedAt: releasedAt === undefined || at === undefined ? undefined : Math.max(releasedAt, at),
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
