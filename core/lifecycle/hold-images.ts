/** What holds an image wherever it is: a build that is not gone, a tag that is to be kept, and its youth. Pure. */
import type { Tell } from './hold-references.ts';
import { type KnownBuild, type KnownBuilds, keyOfBuild, nameBuild } from './known-builds.ts';
import type { Place, Places } from './places.ts';
import type { PlanFacts, PlanRules, RecordFact } from './policy-facts.ts';

/** Tells what the images of every build that is not gone are held by, in whatever registry they are. */
export function holdLiving({ registries }: PlanFacts, builds: KnownBuilds, tell: Tell): void {
  for (const { records } of registries) {
    for (const record of records.kind === 'whole' ? records.items : []) {
      const reason = livingBecause(record, builds.get(keyOfBuild(record.build)));
      if (reason !== undefined) for (const { digest } of record.images) tell(digest, reason);
    }
  }
}

function livingBecause({ build, definition }: RecordFact, known: KnownBuild | undefined): string | undefined {
  if (!known) return `nothing is known of its build ${nameBuild(build)}`;
  if (!known.isGone) return known.reason;
  const other = known.facts.find(each => each.definition !== definition);
  return (
    other &&
    `its record names pipeline ${definition} for build ${nameBuild(build)}, and Azure DevOps ${other.definition}`
  );
}

/** `tags` and `newerThan`. */
export function holdByTagAndAge({ keep }: PlanRules, { now }: PlanFacts, { homes }: Places, tell: Tell): void {
  for (const { registry, repository, places } of homes) {
    for (const [digest, place] of places) {
      for (const { name } of place.image.tags) {
        const pattern = keep.tags.find(each => each.matches(name));
        if (pattern) tell(digest, `the tag "${name}" of ${registry}/${repository} is kept by "${pattern.text}"`);
      }
      const young = keep.newerThan > 0 ? youngBecause(place, now - keep.newerThan) : undefined;
      if (young !== undefined) tell(digest, young);
    }
  }
}

/** The later of the push and of every tag: whoever tags an image does something with it. What has no date is new. */
function youngBecause({ home, image }: Place, limit: number): string | undefined {
  const times = [image.pushedAt, ...image.tags.map(tag => tag.changedAt)];
  const label = `${home.registry}/${home.repository}`;
  if (times.includes(undefined)) return `${label} does not say when it was pushed or tagged`;
  const latest = Math.max(...times.filter(time => time !== undefined));
  return latest > limit ? `it was pushed or tagged in ${label} at ${new Date(latest).toISOString()}` : undefined;
}
