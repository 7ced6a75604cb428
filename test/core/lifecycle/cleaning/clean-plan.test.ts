import { deepEqual, equal, match, notEqual, ok, throws } from 'node:assert/strict';
import fc from 'fast-check';
import {
  type CleanPlan,
  formatCleanPlan,
  hashDeletions,
  makeCleanPlan,
  type PlanScope,
  parseCleanPlan,
} from '../../../../core/lifecycle/cleaning/clean-plan.ts';
import { kindOfReason } from '../../../../core/lifecycle/cleaning/kept-because.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { readPolicy, someFacts, somePolicy } from '../keep-policy/policy-random.ts';
import { buildScenarios } from '../keep-policy/policy-scenarios/builds.ts';
import { deployedScenarios } from '../keep-policy/policy-scenarios/deployed.ts';
import { referenceScenarios } from '../keep-policy/policy-scenarios/references.ts';
import { registryScenarios } from '../keep-policy/policy-scenarios/registries.ts';
import { otherScenarios } from '../keep-policy/policy-scenarios/the-rest.ts';
import { digestOf, factsOf, rulesOf } from '../keep-policy/policy-world.ts';
import { type CleanScenario, lookAt } from './planned-world.ts';

const hour = 3_600_000;
const scope: PlanScope = {
  grace: 24 * hour,
  registries: [
    { name: 'prod', url: 'contosoprod.azurecr.io' },
    { name: 'ci', url: 'http://localhost:5000' },
  ],
};

function planOf(world: CleanScenario): CleanPlan {
  const { facts, plan } = lookAt(world);
  return makeCleanPlan(facts, plan, scope);
}

/** What becomes of each image, by the name that its digest stands for. */
function stepsOf(world: CleanScenario): Record<string, string> {
  const { deletions, waiting } = planOf(world);
  const names = new Map(Object.keys(world.images).map(key => [digestOf(key.split(' ')[1] ?? ''), key.split(' ')[1]]));
  return Object.fromEntries([
    ...deletions.map(({ digest, step }) => [names.get(digest), step]),
    ...waiting.map(({ digest, dueAt }) => [names.get(digest), `waits until ${dueAt ?? 'nobody knows'}`]),
  ]) as Record<string, string>;
}

const gone = { 1: 'main 9d deleted', 2: 'main 8d deleted' };

describe('the plan of a run', () => {
  it('takes tags off first, and deletes when the grace of the tombstone is over', () => {
    const world: CleanScenario = {
      builds: gone,
      images: {
        'ci/web tagged': { builds: [1] },
        'ci/web fresh': { builds: [1], tags: [], released: [1] },
        'ci/web due': { builds: [1], tags: [], released: [1] },
        'ci/web exact': { builds: [1], tags: [], released: [1] },
        'ci/web undated': { builds: [1], tags: [], released: [1] },
      },
      releasedAt: { fresh: '23h', due: '25h', exact: '24h', undated: '?' },
    };
    deepEqual(stepsOf(world), {
      tagged: 'untag',
      fresh: 'waits until 2026-06-01T13:00:00.000Z',
      due: 'delete',
      exact: 'delete',
      undated: 'waits until nobody knows',
    });
  });

  it('takes off a tag that came after the release before it deletes', () => {
    const world: CleanScenario = {
      builds: gone,
      images: { 'ci/web a': { builds: [1, 2], tags: ['2'], tagged: '8d', released: [1] } },
      releasedAt: { a: '30d' },
    };
    deepEqual(stepsOf(world), { a: 'untag' });
  });

  it('deletes a chart whose version names its content: that tag stays on it to the end', () => {
    const world: CleanScenario = {
      builds: gone,
      images: { 'ci/charts a': { builds: [1], tags: [], content: ['1.0.0_c.3f9a'], released: [1] } },
      releasedAt: { a: '30d' },
    };
    deepEqual(stepsOf(world), { a: 'delete' });
  });

  it('deletes at once what has no tag and no build', () => {
    const world: CleanScenario = {
      policy: 'delete: { untagged: { olderThan: 24h } }',
      images: { 'ci/web a': { tags: [], pushed: '3d' } },
    };
    deepEqual(stepsOf(world), { a: 'delete' });
  });

  it('takes with an index or a subject what belongs to it, when that is as far', () => {
    const world: CleanScenario = {
      builds: gone,
      images: {
        'ci/web new': { builds: [1], children: ['x', 'both'] },
        'ci/web old': { builds: [2], tags: [], released: [2], children: ['y', 'both'] },
        'ci/web x': { tags: [] },
        'ci/web y': { tags: [] },
        'ci/web both': { tags: [] },
        'ci/web signature': { tags: ['sha256-y.sig'] },
        'ci/web attestation': { tags: [], subject: 'signature' },
      },
      releasedAt: { old: '2d' },
    };
    deepEqual(stepsOf(world), {
      new: 'untag',
      old: 'delete',
      x: 'untag',
      y: 'delete',
      both: 'untag',
      signature: 'delete',
      attestation: 'delete',
    });
  });

  it('does not promise to delete an old untagged child before the index that has it', () => {
    const world: CleanScenario = {
      policy: 'delete: { untagged: { olderThan: 24h } }',
      builds: gone,
      images: {
        'ci/web new': { builds: [1], children: ['x'] },
        'ci/web x': { tags: [] },
        'ci/web old': { tags: [], children: ['y'] },
        'ci/web y': { tags: [] },
      },
    };
    deepEqual(stepsOf(world), { new: 'untag', x: 'untag', old: 'delete', y: 'delete' });
  });

  it('has no deletion of what refers to itself in a circle', () => {
    const world: CleanScenario = {
      policy: 'delete: { untagged: { olderThan: 24h } }',
      images: { 'ci/web a': { tags: [], subject: 'b' }, 'ci/web b': { tags: [], subject: 'a' } },
    };
    deepEqual(stepsOf(world), {});
  });

  it('lets what belongs to several wait for the last of them', () => {
    const index = { tags: [], children: ['x'] };
    const world: CleanScenario = {
      builds: gone,
      images: {
        'ci/web a': { ...index, builds: [1], released: [1] },
        'ci/web b': { ...index, builds: [2], released: [2] },
        'ci/web x': { tags: [] },
      },
      releasedAt: { a: '2h', b: '1h' },
    };
    deepEqual(stepsOf(world)['x'], 'waits until 2026-06-02T11:00:00.000Z');
  });

  it('tells of each image what a person asks', () => {
    const [first] = planOf({
      builds: gone,
      images: { 'ci/web a': { builds: [2, 1], tags: ['2', '1'], released: [1] } },
    }).deletions;
    deepEqual(first, {
      registry: 'ci',
      repository: 'web',
      digest: digestOf('a'),
      mediaType: '',
      size: 1,
      tags: ['1', '2'],
      builds: [
        { organization: 'contoso', project: 'shop', id: 1 },
        { organization: 'contoso', project: 'shop', id: 2 },
      ],
      cause: 'build',
      reasons: ['its build 1 of shop is deleted', 'its build 2 of shop is deleted'],
      step: 'untag',
    });
  });

  it('says which registries it is of, by name and host', () => {
    const { registries } = planOf({ images: { 'ci/web a': {} } });
    deepEqual(registries, [
      { name: 'ci', host: 'localhost:5000' },
      { name: 'prod', host: 'contosoprod.azurecr.io' },
    ]);
  });

  it('counts what stays by what it stays for', () => {
    const { kept } = planOf({
      policy: 'keep: { deployed: true }',
      builds: { 1: 'main 9d alive', 2: 'main 8d deleted' },
      images: {
        'ci/web a': { builds: [1] },
        'ci/web b': { builds: [1], tags: ['1', 'mine'] },
        'ci/web c': { builds: [2] },
        'ci/web d': { builds: [2] },
      },
      runs: { prod: ['ci.example/web@c'] },
    });
    deepEqual(kept, {
      images: 3,
      reasons: [
        { because: 'its build is there', images: 2 },
        { because: 'it runs', images: 1 },
        { because: 'a tag of somebody else is on it', images: 1 },
      ],
    });
  });

  it('names a kind for every reason that the scenarios of the keep policy know', () => {
    const scenarios = [buildScenarios, deployedScenarios, referenceScenarios, registryScenarios, otherScenarios].flat();
    const reasons = new Set<string>();
    for (const scenario of scenarios) {
      for (const { decision, reasons: all } of planImages(rulesOf(scenario), factsOf(scenario)).images) {
        if (decision === 'keep') for (const reason of all) reasons.add(reason);
      }
    }
    ok(reasons.size > 60, `only ${reasons.size} reasons`);
    deepEqual(
      [...reasons].filter(reason => kindOfReason(reason) === 'another reason'),
      [],
    );
  });

  it('refuses facts that the plan was not made from', () => {
    const { plan } = lookAt({ builds: gone, images: { 'ci/web a': { builds: [1] } } });
    const { facts } = lookAt({ builds: gone, images: { 'ci/web b': { builds: [1] } } });
    throws(() => makeCleanPlan(facts, plan, scope), { code: 'DEFECT' });
  });
});

describe('the file of a plan', () => {
  const world: CleanScenario = {
    policy: 'keep: { tags: ["v*"] }',
    builds: gone,
    images: {
      'ci/web a': { builds: [1] },
      'ci/web b': { builds: [2], tags: [], released: [2] },
      'ci/web c': { builds: [2], tags: ['v1', '2'] },
      'ci/api d': { builds: [1] },
    },
    releasedAt: { b: '1h' },
  };

  it('is the same, byte for byte, in whatever order the facts come, and but for its date at another time', () => {
    const { facts, rules, plan } = lookAt(world);
    const text = formatCleanPlan(makeCleanPlan(facts, plan, scope));
    const turned = {
      ...facts,
      builds: [...facts.builds].reverse(),
      registries: facts.registries.map(registry => ({
        ...registry,
        repositories: turn(registry.repositories, repository => ({ ...repository, images: turn(repository.images) })),
        records: turn(registry.records),
      })),
    };
    equal(formatCleanPlan(makeCleanPlan(turned, planImages(rules, turned), scope)), text);
    const later = { ...facts, now: facts.now + 60_000 };
    const again = makeCleanPlan(later, planImages(rules, later), scope);
    equal(again.madeAt, '2026-06-01T12:01:00.000Z');
    equal(formatCleanPlan({ ...again, madeAt: '2026-06-01T12:00:00.000Z' }), text);
  });

  it('is read back as it was, and written again the same', () => {
    const plan = planOf(world);
    const text = formatCleanPlan(plan);
    deepEqual(parseCleanPlan(text, 'plan.json'), plan);
    equal(formatCleanPlan(parseCleanPlan(text, 'plan.json')), text);
    equal(text.split('\n').filter(line => line.startsWith('{"registry"')).length, 3);
  });

  it('is read back from whatever random worlds give', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, fc.constantFrom(0, hour), (facts, policy, grace) => {
        const rules = readPolicy(policy);
        const plan = makeCleanPlan(facts, planImages(rules, facts), { ...scope, grace });
        deepEqual(parseCleanPlan(formatCleanPlan(plan), 'plan.json'), plan);
        const { images } = planImages(rules, facts);
        equal(plan.deletions.length + plan.waiting.length, images.filter(each => each.decision === 'delete').length);
      }),
      { numRuns: 200 },
    );
  });

  const changes: Readonly<Record<string, (plan: CleanPlan) => unknown>> = {
    'another digest': plan => edit(plan, { digest: digestOf('z') }),
    'another repository': plan => edit(plan, { repository: 'shop' }),
    'another registry': plan => edit(plan, { registry: 'prod' }),
    'another step': plan => edit(plan, { step: 'delete' }),
    'another cause': plan => edit(plan, { cause: 'untagged' }),
    'one deletion more': plan => ({ ...plan, deletions: [...plan.deletions, ...plan.deletions] }),
    'one deletion less': plan => ({ ...plan, deletions: plan.deletions.slice(1) }),
    'another order': plan => ({ ...plan, deletions: [...plan.deletions].reverse() }),
    'another registry of the same name': plan => ({
      ...plan,
      registries: plan.registries.map(({ name }) => ({ name, host: 'contosoprod.azurecr.io' })),
    }),
    'another organization': plan => ({ ...plan, organizations: ['fabrikam'] }),
    'another hash': plan => ({ ...plan, hash: '0'.repeat(64) }),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`is refused with ${what}`, () => {
      const text = formatCleanPlan(change(planOf(world)) as CleanPlan);
      throws(() => parseCleanPlan(text, 'out/plan.json'), {
        code: 'INPUT_INVALID',
        message: /^out\/plan\.json was changed/,
      });
    });
  }

  const faults: Readonly<Record<string, (plan: CleanPlan) => unknown>> = {
    'an unknown key': plan => ({ ...plan, also: 1 }),
    'an unknown key of a deletion': plan => edit(plan, { also: 1 }),
    'no reason': plan => edit(plan, { reasons: [] }),
    'a step of another name': plan => edit(plan, { step: 'purge' }),
    'a digest that is none': plan => edit(plan, { digest: 'sha256:1' }),
    'a repository that is none': plan => edit(plan, { repository: '../web' }),
    'a tag that is none': plan => edit(plan, { tags: ['a b'] }),
    'a later version': plan => ({ ...plan, schema: 2 }),
    'a missing key': plan => Object.fromEntries(Object.entries(plan).filter(([key]) => key !== 'waiting')),
  };
  for (const [what, change] of Object.entries(faults)) {
    it(`is refused with ${what}, whatever its hash says`, () => {
      const plan = change(planOf(world)) as CleanPlan;
      const text = formatCleanPlan({ ...plan, hash: hashDeletions(plan) });
      throws(() => parseCleanPlan(text, 'plan.json'), {
        code: 'INPUT_INVALID',
        message: /^plan\.json is not a plan of this version: [\w .]+ is not what it writes there\. Make the plan again/,
      });
    });
  }

  it('is refused where it is no JSON, or not whole', () => {
    const text = formatCleanPlan(planOf(world));
    for (const part of ['', 'plan', text.slice(0, -3), '[]']) {
      throws(() => parseCleanPlan(part, 'plan.json'), { code: 'INPUT_INVALID', message: /^plan\.json is not/ });
    }
  });

  it('has another hash for another step of the same image, and the same for another reason', () => {
    const plan = planOf(world);
    const [first] = plan.deletions;
    ok(first);
    const hashOf = (change: object) => hashDeletions({ ...plan, deletions: [{ ...first, ...change }] });
    notEqual(hashOf({ step: 'delete' }), hashOf({}));
    equal(hashOf({ reasons: ['whatever'], tags: [] }), hashOf({}));
  });

  it('holds no command for an agent, whatever things are called, and is still read back', () => {
    const hostile = '##vso[task.setvariable variable=a]b ##[error] # #';
    const plan = { ...planOf(world), unread: [hostile], unparsed: [hostile] };
    const text = formatCleanPlan(plan);
    equal(text.includes('#'), false);
    match(text, /vso\[task/);
    deepEqual(parseCleanPlan(text, 'plan.json'), plan);
  });
});

function turn<T>(
  reading:
    | { readonly kind: 'whole'; readonly items: readonly T[] }
    | { readonly kind: 'unread'; readonly reason: string },
  each: (item: T) => T = item => item,
): typeof reading {
  return reading.kind === 'whole' ? { kind: 'whole', items: reading.items.map(each).reverse() } : reading;
}

function edit(plan: CleanPlan, change: object): unknown {
  return { ...plan, deletions: plan.deletions.map((each, at) => (at === 0 ? { ...each, ...change } : each)) };
}
