import { deepEqual, equal } from 'node:assert/strict';
import { type Drift, type DriftOptions, findDrift } from '../../../../core/lifecycle/cleaning/drift.ts';
import type { LeaseFact } from '../../../../core/lifecycle/facts/read-leases.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { digestOf } from '../keep-policy/policy-world.ts';
import { type CleanScenario, lookAt } from './planned-world.ts';

const registries = [
  { name: 'ci', host: 'contosoci.azurecr.io', repositories: ['*'] },
  { name: 'prod', host: 'contosoprod.azurecr.io:443', repositories: ['shop/*'] },
];

function driftOf(world: CleanScenario, options: Partial<DriftOptions> = {}): Drift {
  const { facts, plan } = lookAt({ registries: { ci: 'delete', prod: 'keep' }, ...world });
  return findDrift(facts, plan, { registries, ...options });
}

function lease(id: number, pipeline: LeaseFact['pipeline'], createdOn: string): LeaseFact {
  const build = { organization: 'contoso', project: 'shop', id };
  return { build, ownerId: 'ImageLifecycle:contosoprod.azurecr.io:QA:4d2c…', createdOn, pipeline };
}

const images = {
  'ci/shop/web a': { tags: ['1', 'latest'] },
  'prod/shop/web a': { tags: ['1'] },
  'prod/shop/web i': { tags: ['multi'], children: ['x'] },
  'prod/shop/web x': { tags: [] },
};

/** The reasons of what is missing, by its reference. */
function missingOf(reference: string, world: Partial<CleanScenario> = {}): string[] {
  return driftOf({ images, runs: { aks: [reference] }, ...world }).missing.map(each => each.reason);
}

describe('drift: what runs and is not there', () => {
  const there = [
    'contosoprod.azurecr.io:443/shop/web:1',
    'contosoprod.azurecr.io:443/shop/web@a',
    'contosoprod.azurecr.io:443/shop/web:gone@a',
    'contosoprod.azurecr.io:443/shop/web@x',
    'CONTOSOCI.azurecr.io/shop/web:latest',
    'contosoci.azurecr.io/shop/web',
    'mirror.example/proxy/shop/web@a',
  ];
  for (const reference of there) it(`does not miss ${reference}`, () => deepEqual(missingOf(reference), []));

  const notOurs = [
    'docker.io/library/redis:7',
    'redis',
    'shop/web:gone',
    'mirror.example/shop/web:gone',
    'redis@z',
    '{{ image }}',
    'Web:1',
  ];
  for (const reference of notOurs)
    it(`says nothing of ${reference}, which is nobody's of ours`, () => deepEqual(missingOf(reference), []));

  const missing: Readonly<Record<string, string>> = {
    'contosoprod.azurecr.io:443/shop/web:2': 'prod/shop/web has no tag "2"',
    'contosoprod.azurecr.io:443/shop/web': 'prod/shop/web has no tag "latest"',
    'contosoprod.azurecr.io:443/shop/web:1@z': `prod/shop/web has no image ${digestOf('z')}`,
    'contosoci.azurecr.io/shop/web@x': `ci/shop/web has no image ${digestOf('x')}`,
    'contosoprod.azurecr.io:443/shop/api:1': 'prod has no repository shop/api',
    'mirror.example/proxy/shop/web@z': `no registry has image ${digestOf('z')}, which is pulled from mirror.example like shop/web`,
  };
  for (const [reference, reason] of Object.entries(missing)) {
    it(`misses ${reference}`, () => deepEqual(missingOf(reference), [reason]));
  }

  it('misses nothing that may be where nobody could look', () => {
    deepEqual(missingOf('contosoprod.azurecr.io:443/payments/api:1'), []);
    deepEqual(missingOf('contosoprod.azurecr.io:443/shop/web:2', { unread: { prod: '403' } }), []);
    deepEqual(missingOf('contosoprod.azurecr.io:443/shop/web:2', { unread: { 'prod/shop/web': '403' } }), []);
    deepEqual(missingOf('mirror.example/proxy/shop/web@z', { unread: { 'ci/shop/web': '403' } }), []);
  });

  it('tells once of each reference of a cluster, with everything that uses it', () => {
    const reference = 'contosoprod.azurecr.io:443/shop/web:2';
    const { missing: found } = driftOf({ images, runs: { aks: [reference, reference], other: [reference] } });
    deepEqual(
      found.map(({ cluster, image, usedBy }) => ({ cluster, image, usedBy })),
      [
        { cluster: 'aks', image: reference, usedBy: ['pod 1', 'pod 2'] },
        { cluster: 'other', image: reference, usedBy: ['pod 1'] },
      ],
    );
  });

  it('tells which revisions of a Helm release could not be rolled back to', () => {
    const at = 'contosoprod.azurecr.io:443/shop/web';
    const { brokenReleases } = driftOf({
      images,
      runs: { aks: [] },
      helm: {
        web: { oldestInUse: 3, revisions: { 1: `${at}@z`, 2: `${at}@y`, 3: `${at}@a` } },
        whole: { oldestInUse: 3, revisions: { 3: `${at}@a` } },
      },
    });
    deepEqual(brokenReleases, [
      { cluster: 'aks', namespace: 'shop', name: 'web', revisions: [2, 1], image: `${at}@${digestOf('y')}` },
    ]);
  });
});

describe('drift: builds and images', () => {
  const builds = { 1: 'main 9d alive', 2: 'main 8d deleted', 3: 'main 7d ?' };

  /** Records name `lost`, which is then taken out of the registry. */
  function withoutLost(id: number, unread: Readonly<Record<string, string>> = {}): Drift {
    const { facts, rules } = lookAt({
      registries: { ci: 'delete' },
      builds,
      images: { 'ci/web kept': { builds: [1] }, 'ci/web lost': { builds: [id] } },
      unread,
    });
    const ci = facts.registries[0];
    const repositories = ci?.repositories.kind === 'whole' ? ci.repositories.items : [];
    const items = repositories.map(({ name, images: all }) => ({
      name,
      images:
        all.kind === 'unread'
          ? all
          : { kind: all.kind, items: all.items.filter(each => each.digest !== digestOf('lost')) },
    }));
    const changed = {
      ...facts,
      registries: [
        {
          name: 'ci',
          records: ci?.records ?? { kind: 'unread' as const, reason: '' },
          repositories: { kind: 'whole' as const, items },
        },
      ],
    };
    return findDrift(changed, planImages(rules, changed), { registries });
  }

  it('tells of a living build without an image that its record names', () => {
    deepEqual(withoutLost(1).lostImages, [
      {
        registry: 'ci',
        build: { organization: 'contoso', project: 'shop', id: 1 },
        images: [{ repository: 'web', digest: digestOf('lost') }],
      },
    ]);
  });

  it('misses no image of a build that is gone or unknown, and none where nobody could look', () => {
    deepEqual(withoutLost(2).lostImages, []);
    deepEqual(withoutLost(3).lostImages, []);
    deepEqual(withoutLost(1, { 'ci/web': '503' }).lostImages, []);
  });

  it('counts by repository what no build is known of, without the parts of what one is known of', () => {
    const { strayImages } = driftOf({
      builds,
      images: {
        'ci/api a': { tags: ['v1'] },
        'ci/api b': { tags: [] },
        'ci/web c': { builds: [1], children: ['x'] },
        'ci/web x': { tags: [] },
        'ci/web d': { tags: ['2'], pushed: '8d' },
        'prod/api a': { tags: ['v1'] },
      },
    });
    deepEqual(strayImages, [
      { registry: 'ci', repository: 'api', images: 2 },
      { registry: 'prod', repository: 'api', images: 1 },
    ]);
  });

  it('takes no image from its build because somebody copied it by hand', () => {
    const { strayImages } = driftOf({
      builds,
      images: {
        'ci/web a': { builds: [2] },
        'prod/byhand/web a': { tags: ['stable'] },
        'prod/byhand/web b': { tags: ['stable'] },
      },
    });
    deepEqual(strayImages, [{ registry: 'prod', repository: 'byhand/web', images: 1 }]);
  });

  it('tells of a lock on what only builds have made that are gone', () => {
    const { lockedForEver } = driftOf({
      builds,
      images: {
        'ci/web a': { builds: [2], locked: true },
        'ci/web b': { builds: [2], tags: ['2', 'v1'], locked: 'v1' },
        'ci/web c': { builds: [1, 2], locked: true },
        'ci/web d': { builds: [3], locked: true },
        'ci/web e': { tags: ['v2'], locked: true },
      },
    });
    deepEqual(Object.fromEntries(lockedForEver.map(({ digest, lockedTags }) => [digest, lockedTags])), {
      [digestOf('a')]: [],
      [digestOf('b')]: ['v1'],
    });
  });

  it('tells of leases whose pipeline is gone, the oldest first, and of none where they were not read', () => {
    const leases = [
      lease(1, 'gone', '2026-02-01T00:00:00Z'),
      lease(2, 'there', '2026-01-01T00:00:00Z'),
      lease(3, 'unknown', '2026-01-01T00:00:00Z'),
      lease(4, 'gone', '2026-01-01T00:00:00Z'),
    ];
    deepEqual(
      driftOf({ images: {} }, { leases }).idleLeases?.map(each => each.build.id),
      [4, 1],
    );
    equal(driftOf({ images: {} }).idleLeases, undefined);
  });

  it('tells of references that cannot be read, and of sources', () => {
    const { unparsed, unread } = driftOf({
      policy: 'keep: { deployed: true }',
      images,
      runs: { aks: ['${R}/shop/web:1'], qa: 'unread' },
    });
    deepEqual(unparsed, ['${R}/shop/web:1']);
    deepEqual(unread, ['what qa runs was not read: 403']);
  });
});
