/** What holds an image wherever it is: a build that is not gone, a tag that is to be kept, and its youth. Pure. */
import type { Tell } from './hold-references.ts';
import { findBuild, type KnownBuild, type KnownBuilds, nameBuild, reasonOf } from './known-builds.ts';
import { everyTagOf, type Place, type Places } from './places.ts';
import type { PlanFacts, PlanRules, RecordFact } from './policy-facts.ts';

/** Tells what the images of every build that is not gone are held by, in whatever registry they are. */
export function holdLiving({ registries, now }: PlanFacts, builds: KnownBuilds, tell: Tell): void {
  for (const { records } of registries) {
    for (const record of records.kind === 'whole' ? records.items : []) {
      const reason = livingBecause(record, findBuild(builds, record.build), now);
      if (reason !== undefined) for (const { digest } of record.images) tell(digest, reason);
    }
  }
}

function livingBecause(
  { build, definition }: RecordFact,
  known: KnownBuild | undefined,
  now: number,
): string | undefined {
  if (!known) return `nothing is known of its build ${nameBuild(build)}`;
  if (!known.isGone) return reasonOf(known, now);
  // All answers agree on it: a build of which they do not is not gone.
  const other = known.facts.find(each => each.definition !== definition);
  return (
    other &&
    `its record names pipeline ${definition} for build ${nameBuild(build)}, and Azure DevOps ${other.definition}`
  );
}

/** `tags` and `newerThan`. */
export function holdByTagAndAge({ keep }: PlanRules, { now }: PlanFacts, { homes }: Places, tell: Tell): void {
  for (const { registry, repository, places } of homes) {
    for (const place of places) {
      const { digest, tags } = place.image;
      for (const name of keep.tags.length > 0 ? everyTagOf(place.image) : []) {
        const pattern = keep.tags.find(each => each.matches(name));
        if (!pattern) continue;
        const isThere = tags.some(tag => tag.name === name);
        const kept = `the tag "${name}" of ${registry}/${repository} is kept by "${pattern.text}"`;
        tell(digest, isThere ? kept : `${kept}, although it was taken off`);
      }
      const young = keep.newerThan > 0 ? youngBecause(place, now - keep.newerThan) : undefined;
      if (young !== undefined) tell(digest, young);
    }
  }
}

/** The later of the push and of every tag: whoever tags an image does something with it. What has no date is new. */
function youngBecause({ home, image }: Place, limit: number): string | undefined {
  const label = `${home.registry}/${home.repository}`;
  let latest = image.pushedAt;
  for (const { changedAt } of image.tags) {
    latest = latest === undefined || changedAt === undefined ? undefined : Math.max(latest, changedAt);
  }
  if (latest === undefined) return `${label} does not say when it was pushed or tagged`;
  return latest > limit ? `it was pushed or tagged in ${label} at ${new Date(latest).toISOString()}` : undefined;
}
