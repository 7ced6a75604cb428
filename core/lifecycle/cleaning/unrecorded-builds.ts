/** The builds that the tags of images without a record name. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { EstateOrganization } from '../facts/estate.ts';
import { buildNumberIn } from '../keep-policy/judge-unrecorded.ts';
import { type KnownBuild, knowBuilds } from '../keep-policy/known-builds.ts';
import { namingTags, type Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { listById } from '../keep-policy/ready-rules.ts';
import type { BuildKey } from '../rules.ts';

/** An organization whose builds are meant. */
export type Named = Pick<EstateOrganization, 'name' | 'projects'>;

/** A build of which no record tells, with the images that have a tag of it. */
export interface UnrecordedBuild extends BuildKey {
  readonly build: KnownBuild;
  readonly definition: number;
  readonly places: readonly Place[];
}

/** Finds builds by what a tag says: all that have the id, in whatever organization. */
export type FindByTag = (tag: string) => readonly KnownBuild[];

/** Makes the search. */
export function findByTag({ builds, now }: Pick<PlanFacts, 'builds' | 'now'>): FindByTag {
  const byId = listById(knowBuilds({ builds, now }));
  return tag => byId.get(buildNumberIn(tag) ?? '') ?? [];
}

/** The builds of an organization whose tags are on these images. */
export function listUnrecordedBuilds(
  places: readonly Place[],
  find: FindByTag,
  { name, projects }: Named,
): UnrecordedBuild[] {
  const named = places.flatMap(place =>
    namingTags(place.image).flatMap(tag => {
      const [build, ...rivals] = find(tag.name);
      return build && rivals.length === 0 && build.name.organization === name ? [{ build, place }] : [];
    }),
  );
  return [...groupBy(named, each => each.build)].flatMap(([build, own]) => {
    const project = projects.find(each => each.name === build.name.project);
    const [fact] = build.facts;
    if (!project || !fact) return [];
    const distinct = [...new Set(own.map(each => each.place))];
    return [{ projectId: project.id, buildId: build.name.id, build, definition: fact.definition, places: distinct }];
  });
}
