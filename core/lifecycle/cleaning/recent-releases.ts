/**
 * What was released a moment ago, by whomever: another run, or the cleaner of another team, may have taken the last tag off
 * an image since the look, and its grace has only begun.
 */
import { listNewestManifests } from '../../acr/listings.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import { type Run, registryTime } from '../surroundings.ts';
import {
  isRelease,
  listTombstones,
  readTombstone,
  type TombstoneKey,
  tombstoneRepository,
  tombstoneTags,
} from '../tombstone.ts';

/**
 * Gives the images of a repository that a tombstone of these projects names which is younger than the grace, and their
 * children; asks each time.
 */
export type ReadRecentReleases = (repository: string, projects: readonly string[]) => Promise<ReadonlySet<Digest>>;

const newestAsked = 100;

/**
 * Makes the question for one registry. For a repository it lists the tombstones of each project once, and from then on asks
 * once for each what is new, and lists them where something is. It throws `RECORD_UNREADABLE` where a tombstone is damaged,
 * and as the registry does: then nothing may be collected.
 */
export function createReadRecentReleases(run: Run): ReadRecentReleases {
  const { registry, rules } = run;
  const known = new Map<string, readonly { readonly repository: string; readonly digests: readonly Digest[] }[]>();
  const read = async (key: TombstoneKey) => {
    const name = `${key.projectId}/${key.tag}`;
    const before = known.get(name);
    if (before) return before;
    const content = await readTombstone(registry, key);
    const images = (content?.images ?? []).map(({ repository, digest, children }) => ({
      repository,
      digests: [digest, ...children],
    }));
    known.set(name, images);
    return images;
  };
  /** What was listed for the repository that was asked about last, by project. */
  const listed = new Map<string, readonly TombstoneKey[]>();
  let listedFor: string | undefined;
  const list = async (id: string): Promise<readonly TombstoneKey[]> => {
    const before = listed.get(id);
    if (before && !(await hasNew(registry, id, before))) return before;
    const keys = await listTombstones(registry, id);
    listed.set(id, keys);
    return keys;
  };
  return async (repository, projects) => {
    if (repository !== listedFor) listed.clear();
    listedFor = repository;
    const keys = await mapConcurrently(projects, 8, list);
    const oldest = registryTime(run) - rules.graceMs;
    const young = keys.flat().filter(key => isRelease(key) && key.time > oldest);
    const images = (await mapConcurrently(young, 16, read)).flat();
    return new Set(images.flatMap(each => (each.repository === repository ? each.digests : [])));
  };
}

/** What was written last stands in front, so that the tombstones of years are not listed at each question. */
async function hasNew(registry: Registry, id: string, known: readonly TombstoneKey[]): Promise<boolean> {
  const tags = new Set(known.flatMap(tombstoneTags));
  const newest = await listNewestManifests(tombstoneRepository(registry, id), newestAsked);
  return newest.some(manifest => manifest.tags.some(tag => !tags.has(tag)));
}
