/** What the oracle of plans looks at. */

import type { Reading } from '../../../../core/base/reading.ts';
import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
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
