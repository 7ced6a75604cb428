/** Builds that are there, and images that their records name and that are not. Pure. */
import type { Digest } from '../../oci/digest.ts';
import { findBuild, type KnownBuilds } from '../keep-policy/known-builds.ts';
import type { BuildName, PlanFacts } from '../keep-policy/policy-facts.ts';
import type { Shelves } from './shelves.ts';

/** What one build has lost in one registry. */
export interface LostImages {
  readonly registry: string;
  readonly build: BuildName;
  readonly images: readonly { readonly repository: string; readonly digest: Digest }[];
}

/** Lists them, by registry and build. Of builds that are gone nothing is missed, and nothing of what was not read. */
export function listLostImages({ registries }: PlanFacts, builds: KnownBuilds, shelves: Shelves): LostImages[] {
  const found = new Map<string, LostImages & { images: { repository: string; digest: Digest }[] }>();
  for (const { name: registry, records } of registries) {
    for (const { build, images } of records.kind === 'whole' ? records.items : []) {
      const known = findBuild(builds, build);
      if (!known || known.isGone || !known.facts.every(each => each.state.kind === 'alive')) continue;
      const lost = images.filter(({ repository, digest }) => isLost(shelves, registry, repository, digest));
      if (lost.length === 0) continue;
      const key = JSON.stringify([registry, build.organization, build.project, build.id]);
      const own = found.get(key) ?? { registry, build, images: [] };
      found.set(key, own);
      for (const { repository, digest } of lost) {
        if (!own.images.some(each => each.repository === repository && each.digest === digest)) {
          own.images.push({ repository, digest });
        }
      }
    }
  }
  return [...found.values()].sort(byBuild);
}

function isLost(shelves: Shelves, registry: string, repository: string, digest: Digest): boolean {
  return shelves.isRead(registry, repository) && !shelves.all.get(registry)?.get(repository)?.digests.has(digest);
}

function byBuild(one: LostImages, other: LostImages): number {
  const key = ({ registry, build }: LostImages) => `${registry} ${build.organization} ${build.project}`;
  return key(one) === key(other) ? one.build.id - other.build.id : key(one) < key(other) ? -1 : 1;
}
