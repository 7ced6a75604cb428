/** What the oracle of plans looks at. */

import type { Reading } from '../../../../core/base/reading.ts';
import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
  TagFact,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';

/** One image in one repository. */
export interface Copy {
  readonly registry: string;
  readonly repository: string;
  readonly image: ImageFact;
  readonly records: readonly { readonly record: RecordFact; readonly tags: readonly string[] }[];
}

/** Everything, flat. */
export interface World {
  readonly rules: PlanRules;
  readonly facts: PlanFacts;
  readonly copies: readonly Copy[];
}

/** What was read, or nothing. */
export function itemsOf<T>(reading: Reading<T>): readonly T[] {
  return reading.kind === 'whole' ? reading.items : [];
}

/** The build that a record names. */
export function buildOf({ facts }: World, { build }: RecordFact): BuildFact | undefined {
  return facts.builds.find(each => each.build.id === build.id);
}

/** Whether a build is gone, and nothing holds it. */
export function isDead({ facts }: World, { state, retainedBy }: BuildFact): boolean {
  if (retainedBy.kind === 'unread' || retainedBy.items.length > 0) return false;
  if (state.kind === 'absent') return state.since !== undefined && state.since <= facts.now - 24 * 3_600_000;
  return state.kind === 'deleted';
}

/** Tags that somebody gave it for a name. */
export function namedTags({ image }: Copy): TagFact[] {
  return image.tags.filter(
    ({ content, name }) => !content && (!/^sha256-[0-9a-f]{64}/.test(name) || names(name, image)),
  );
}

/** Whether a tag has the digest of an image in it. */
export function names(tag: string, { digest }: ImageFact): boolean {
  return tag.startsWith(digest.replace(':', '-'));
}

/** Every name that it has or had by a tag. */
export function everyTag({ tags, takenTags = [] }: ImageFact): string[] {
  return [...tags.map(tag => tag.name), ...takenTags];
}
