/** What holds of every plan, on random facts: nothing that goes wrong and nothing that is asked for deletes more. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { type KeepPlan, planImages, writePlan } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { PlanFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { howMany } from '../../../support/random-worlds.ts';
import { type Break, breaks } from './policy-breaks.ts';
import { decideSlowly } from './policy-oracle.ts';
import { readPolicy, someFacts, somePolicy, someReference, type WrittenPolicy } from './policy-random.ts';

const runs = howMany(150);

describe('every keep plan', () => {
  it('is that of an oracle that does everything the slow way', () => {
    let deletions = 0;
    fc.assert(
      fc.property(someFacts, somePolicy, (facts, policy) => {
        const plan = planImages(readPolicy(policy), facts);
        deletions += deletedIn(plan).length;
        deepEqual(deletedIn(plan), decideSlowly(readPolicy(policy), facts));
      }),
      { numRuns: runs.numRuns * 12 },
    );
    ok(deletions > 500, `only ${deletions} images went: these worlds show nothing`);
  });

  it('gives every image once, in order, with a reason, whatever its facts', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, (facts, policy) => {
        const { images } = planImages(readPolicy(policy), facts);
        const places = images.map(nameOf);
        deepEqual(places, placesOf(facts));
        for (const { reasons } of images) {
          ok(reasons.length > 0);
          deepEqual(reasons, [...new Set(reasons)].sort());
          for (const reason of reasons) ok(reason.length > 0);
        }
      }),
      runs,
    );
  });

  it('is the same for the same facts in any order, and told twice', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, fc.infiniteStream(fc.nat()), (facts, policy, numbers) => {
        const rules = readPolicy(policy);
        const plan = planImages(rules, facts);
        const text = [...writePlan(plan)].join('');
        for (const change of [shuffle, twice]) {
          const other = planImages(
            rules,
            changeLists(facts, items => change(items, () => numbers.next().value ?? 0)),
          );
          equal([...writePlan(other)].join(''), text);
          equal(other.hash, plan.hash);
        }
      }),
      runs,
    );
  });

  const wrong = fc.array(fc.tuple(fc.constantFrom(...Object.values(breaks)), fc.nat({ max: 63 })), { maxLength: 5 });

  it('is the same, and deletes no more, when everything is told a second time and otherwise, in any order', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, wrong, fc.infiniteStream(fc.nat()), (facts, policy, all, numbers) => {
        const rules = readPolicy(policy);
        const contradicted = tellBoth(facts, breakAll(facts, all));
        const plan = planImages(rules, contradicted);
        deletesNoMore(planImages(rules, facts), plan);
        const other = changeLists(contradicted, items => shuffle(items, () => numbers.next().value ?? 0));
        equal([...writePlan(planImages(rules, other))].join(''), [...writePlan(plan)].join(''));
      }),
      runs,
    );
  });

  for (const [name, breakIt] of Object.entries(breaks)) {
    it(`deletes no more when ${name}`, () => {
      fc.assert(
        fc.property(someFacts, somePolicy, fc.nat({ max: 63 }), (facts, policy, at) => {
          const rules = readPolicy(policy);
          deletesNoMore(planImages(rules, facts), planImages(rules, breakIt(facts, at)));
        }),
        runs,
      );
    });
  }

  it('deletes no more when several things go wrong', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, wrong, (facts, policy, all) => {
        const rules = readPolicy(policy);
        deletesNoMore(planImages(rules, facts), planImages(rules, breakAll(facts, all)));
      }),
      runs,
    );
  });

  const additions: Readonly<Record<string, fc.Arbitrary<(policy: WrittenPolicy) => WrittenPolicy>>> = {
    'a rule about references': someReference.map(
      rule => policy => withKeep(policy, { references: [...policy.keep.references, rule] }),
    ),
    'a rule about references, before the others': someReference.map(
      rule => policy => withKeep(policy, { references: [rule, ...policy.keep.references] }),
    ),
    'a tag': fc
      .constantFrom('latest', '*', '/1/')
      .map(tag => policy => withKeep(policy, { tags: [...policy.keep.tags, tag] })),
    deployed: fc.constant(policy => withKeep(policy, { deployed: true })),
    'more revisions': fc.constant(policy => withKeep(policy, { helmRevisions: -1 })),
    'more time': fc.constant(policy => withKeep(policy, { newerThan: '90h' })),
    'a stricter registry': fc.constant(policy => ({ ...policy, prod: 'keep' })),
    'nothing untagged': fc.constant(policy => ({ ...policy, delete: { ...policy.delete, untagged: undefined } })),
    'other pipelines without a record': fc.constant(policy => narrow(policy, { definitions: [9] })),
    'fewer tags without a record': fc
      .constantFrom('/^\\d+$/', '/^web-\\d+$/')
      .map(tagsMatching => policy => narrow(policy, { tagsMatching })),
    'nothing without a record': fc.constant(policy => ({
      ...policy,
      delete: { ...policy.delete, withoutRecord: 'keep' },
    })),
  };
  for (const [name, addition] of Object.entries(additions)) {
    it(`deletes no more when the policy asks for ${name}`, () => {
      fc.assert(
        fc.property(someFacts, somePolicy, addition, (facts, policy, add) => {
          deletesNoMore(planImages(readPolicy(policy), facts), planImages(readPolicy(add(policy)), facts));
        }),
        runs,
      );
    });
  }
});

function withKeep(policy: WrittenPolicy, keep: Partial<WrittenPolicy['keep']>): WrittenPolicy {
  return { ...policy, keep: { ...policy.keep, ...keep } };
}

function narrow(policy: WrittenPolicy, withoutRecord: object): WrittenPolicy {
  const rule = policy.delete.withoutRecord;
  if (typeof rule !== 'object') return policy;
  return { ...policy, delete: { ...policy.delete, withoutRecord: { ...rule, ...withoutRecord } } };
}

function nameOf({ registry, repository, digest }: KeepPlan['images'][number]): string {
  return `${registry}/${repository}@${digest}`;
}

function deletedIn({ images }: KeepPlan): string[] {
  return images.filter(each => each.decision === 'delete').map(nameOf);
}

function deletesNoMore(before: KeepPlan, after: KeepPlan): void {
  const kept = new Set(before.images.filter(each => each.decision === 'keep').map(nameOf));
  deepEqual(
    deletedIn(after).filter(each => kept.has(each)),
    [],
  );
}

function placesOf({ registries }: PlanFacts): string[] {
  const all = registries.flatMap(({ name, repositories }) =>
    repositories.kind === 'unread'
      ? []
      : repositories.items.flatMap(each =>
          each.images.kind === 'unread' ? [] : each.images.items.map(({ digest }) => `${name}/${each.name}@${digest}`),
        ),
  );
  return all.sort();
}

function breakAll(facts: PlanFacts, all: readonly (readonly [Break, number])[]): PlanFacts {
  return all.reduce((rest, [breakIt, at]) => breakIt(rest, at), facts);
}

/** Two answers to every question. */
function tellBoth(one: PlanFacts, other: PlanFacts): PlanFacts {
  return {
    now: one.now,
    registries: [...one.registries, ...other.registries],
    builds: [...one.builds, ...other.builds],
    organizations: [...one.organizations, ...other.organizations],
    sources: [...one.sources, ...other.sources],
    usage: [...one.usage, ...other.usage],
  };
}

type ChangeList = (items: readonly unknown[], next: () => number) => readonly unknown[];

function changeLists<T>(value: T, change: (items: readonly unknown[]) => readonly unknown[]): T {
  if (Array.isArray(value)) return change(value.map(each => changeLists(each as unknown, change))) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, changeLists(each as unknown, change)]),
  ) as T;
}

const shuffle: ChangeList = (items, next) =>
  items
    .map(item => ({ item, at: next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);

const twice: ChangeList = items => [...items, ...items];
