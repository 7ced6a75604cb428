/**
 * What was released a moment ago, by whomever: another run, or the cleaner of another team, may have taken the last tag off
 * an image since the look, and its grace has only begun.
 */
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Run, registryTime } from '../surroundings.ts';
import { isRelease, listTombstones, readTombstone, type TombstoneKey } from '../tombstone.ts';

/**
 * Gives the images of a repository that a tombstone of these projects names which is younger than the grace, and their
 * children; asks each time.
 */
export type ReadRecentReleases = (repository: string, projects: readonly string[]) => Promise<ReadonlySet<Digest>>;

/**
 * Makes the question for one registry. It throws `RECORD_UNREADABLE` where a tombstone is damaged, and as the registry
 * does: then nothing may be collected.
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
  return async (repository, projects) => {
    const keys = await mapConcurrently(projects, 8, id => listTombstones(registry, id));
    const oldest = registryTime(run) - rules.graceMs;
    const young = keys.flat().filter(key => isRelease(key) && key.time > oldest);
    const images = (await mapConcurrently(young, 16, read)).flat();
    return new Set(images.flatMap(each => (each.repository === repository ? each.digests : [])));
  };
}
