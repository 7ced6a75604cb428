/** The oracle's part about images without a record: what their tags, or what took these off, say of their builds. */
import type { BuildFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { type Copy, isDead, namedTags, type World } from './policy-oracle-world.ts';

/** Whether anything tells a build. */
export function hasTraces(copy: Copy): boolean {
  return namedTags(copy).length > 0 || (copy.image.released ?? []).length > 0;
}

/** Whether all that tells a build tells one that is gone, and the rule allows it. */
export function isUnrecordedGone(world: World, copy: Copy): boolean {
  return namedTags(copy).length > 0 ? areTagsGone(world, copy) : areReleasersGone(world, copy);
}

/** The builds of an image without a record that goes for them, if it ever had a tag. */
export function buildsBehind(world: World, copy: Copy): BuildFact[] {
  if (!hasTraces(copy) || !isUnrecordedGone(world, copy)) return [];
  const { builds } = world.facts;
  const named = namedTags(copy);
  if (named.length > 0) return named.flatMap(({ name }) => builds.find(each => each.build.id === idIn(name)) ?? []);
  const { released = [], takenTags = [] } = copy.image;
  if (takenTags.length === 0) return [];
  return released.flatMap(({ id }) => builds.find(each => each.build.id === id) ?? []);
}

const idIn = (tag: string) => (/^(?:web-)?\d+$/.test(tag) ? Number(tag.replace('web-', '')) : Number.NaN);

function areTagsGone({ rules, facts }: World, copy: Copy): boolean {
  const { withoutRecord } = rules.delete;
  const isAsked = facts.organizations.some(each => each.name === 'contoso' && each.unread === undefined);
  if (withoutRecord === 'keep' || !isAsked) return false;
  return namedTags(copy).every(({ name, changedAt }) => {
    const build = facts.builds.find(each => each.build.id === idIn(name));
    if (!withoutRecord.tagsMatching.matches(name) || !build || build.state.kind !== 'deleted') return false;
    const { retainedBy, definition, startedAt = Infinity, finishedAt = 0 } = build;
    const isFree = retainedBy.kind === 'whole' && retainedBy.items.length === 0;
    const isOfItsTime = changedAt !== undefined && changedAt >= startedAt && changedAt <= finishedAt;
    return isFree && withoutRecord.definitions.includes(definition) && isOfItsTime;
  });
}

/** The builds on whose account the tags of an image came off. */
function areReleasersGone(world: World, { image: { released = [], takenTags = [] } }: Copy): boolean {
  const { withoutRecord } = world.rules.delete;
  return released.every(({ id, recorded }) => {
    const build = world.facts.builds.find(each => each.build.id === id);
    if (!build || !isDead(world, build)) return false;
    if (recorded) return true;
    if (withoutRecord === 'keep' || !withoutRecord.definitions.includes(build.definition)) return false;
    return takenTags.every(tag => withoutRecord.tagsMatching.matches(tag));
  });
}
