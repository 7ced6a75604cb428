/** Worlds of the keep policy's tests, looked at by what a run makes of their plan. */

import { type KeepPlan, planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { PlanFacts, PlanRules } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { digestOf, factsOf, momentOf, rulesOf, type Scenario } from '../keep-policy/policy-world.ts';

/** A scenario without what it is to end in. */
export interface CleanScenario extends Omit<Scenario, 'title' | 'policy'> {
  readonly policy?: string;
  /** How long ago the tombstones of an image were written, by its name; `?` where that is not known. */
  readonly releasedAt?: Readonly<Record<string, string>>;
}

/** Facts, rules and plan of one look. */
export interface Look {
  readonly facts: PlanFacts;
  readonly rules: PlanRules;
  readonly plan: KeepPlan;
}

/** Looks at a world. */
export function lookAt({ releasedAt = {}, ...world }: CleanScenario): Look {
  const scenario = { title: '', policy: '', ...world };
  const dates = new Map(Object.entries(releasedAt).map(([name, age]) => [digestOf(name), momentOf(age)]));
  const facts = mapImages(factsOf(scenario), image => ({ ...image, releasedAt: dates.get(image.digest) }));
  const rules = rulesOf(scenario);
  return { facts, rules, plan: planImages(rules, facts) };
}

type Image = Extract<
  Extract<PlanFacts['registries'][number]['repositories'], { kind: 'whole' }>['items'][number]['images'],
  { kind: 'whole' }
>['items'][number];

/** The same facts with each image changed. */
export function mapImages(facts: PlanFacts, change: (image: Image) => Image): PlanFacts {
  const registries = facts.registries.map(registry => {
    if (registry.repositories.kind === 'unread') return registry;
    const items = registry.repositories.items.map(repository =>
      repository.images.kind === 'unread'
        ? repository
        : { ...repository, images: { kind: 'whole' as const, items: repository.images.items.map(change) } },
    );
    return { ...registry, repositories: { kind: 'whole' as const, items } };
  });
  return { ...facts, registries };
}
