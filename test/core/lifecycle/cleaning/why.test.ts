import { deepEqual, equal, match, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { tellWhy } from '../../../../core/lifecycle/cleaning/why.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { readPolicy, someFacts, somePolicy } from '../keep-policy/policy-random.ts';
import { digestOf, nameDigests } from '../keep-policy/policy-world.ts';
import { type CleanScenario, lookAt } from './planned-world.ts';

const options = {
  registries: [
    { name: 'ci', host: 'contosoci.azurecr.io' },
    { name: 'prod', host: 'contosoprod.azurecr.io' },
  ],
  graceMs: 24 * 3_600_000,
};

const world: CleanScenario = {
  policy: 'keep: { deployed: true }',
  registries: { ci: 'delete', prod: 'delete' },
  builds: { 4711: 'main 9d deleted', 4712: 'main 8d alive lease:QA', 4713: 'dev 7d deleted', 4714: 'dev 6d deleted' },
  images: {
    'ci/shop/web a': { builds: [4711] },
    'prod/shop/web a': { promoted: [4711] },
    'ci/shop/web b': { builds: [4712], tags: ['4712', 'latest'] },
    'ci/shop/web c': { builds: [4713] },
    'ci/shop/web d': { builds: [4714], tags: [], released: [4714] },
    'ci/shop/web e': { builds: [4714], tags: [], released: [4714] },
    'ci/api f': { tags: ['v1'] },
  },
  runs: { aks: ['contosoprod.azurecr.io/shop/web@a'] },
  releasedAt: { d: '1h', e: '25h' },
};

/** The answer, with names where digests stand. */
function why(subject: string, to: CleanScenario = world): string[] {
  const { facts, plan } = lookAt(to);
  const scenario = { title: '', policy: '', ...to };
  return tellWhy(subject, facts, plan, options).map(line => nameDigests(line, scenario));
}

const first = [
  'ci/shop/web@a, tagged 4711, stays:',
  '- it is used by pod 1 (aks)',
  '- build 4711 of shop made it from refs/heads/main at commit of 4711',
  'prod/shop/web@a, tagged 4711, stays:',
  '- it is used by pod 1 (aks)',
  '- build 4711 of shop, which was promoted, made it from refs/heads/main at commit of 4711',
];

describe('why', () => {
  const names = [
    'shop/web:4711',
    'ci/shop/web:4711',
    'contosoprod.azurecr.io/shop/web:4711',
    'mirror.example/shop/web:4711',
    ' shop/web:4711 ',
    digestOf('a'),
    `whatever@${digestOf('a')}`,
    `contosoci.azurecr.io/shop/web:1@${digestOf('a')}`,
  ];
  for (const name of names) {
    it(`tells of every copy of ${name.replace(/[0-9a-f]{64}/, 'a')}, in each registry`, () =>
      deepEqual(why(name), first));
  }

  it('tells the evidence that lets an image go, and when', () => {
    deepEqual(why('shop/web:4713'), [
      'ci/shop/web@c, tagged 4713, goes: the next run takes its tags off, and a later one deletes it:',
      '- its build 4713 of shop is deleted',
      '- build 4713 of shop made it from refs/heads/dev at commit of 4713',
    ]);
  });

  it('answers for a build with its state, what holds it, and its images', () => {
    deepEqual(why('4712'), [
      'contoso: its build 4712 of shop is there, held by the lease QA',
      'ci/shop/web@b, tagged 4712, latest, stays:',
      '- its build 4712 of shop is there, held by the lease QA',
      '- the tag "latest" is on it, which is not its build\'s own',
      '- build 4712 of shop made it from refs/heads/main at commit of 4712',
    ]);
  });

  it('tells of tombstones: what was released when, and when it is due', () => {
    const lines = why('4714');
    ok(
      lines.includes('ci/shop/web@d, which has no tag, is deleted by the first run after 2026-06-02T11:00:00.000Z:'),
      lines.join('\n'),
    );
    ok(
      lines.includes(
        '- its tags were taken off for build 4714 of shop at 2026-06-01T11:00:00.000Z, so it is due at 2026-06-02T11:00:00.000Z',
      ),
    );
    ok(lines.includes('ci/shop/web@e, which has no tag, is deleted by the next run:'));
  });

  it('does not call due what was released and runs all the same', () => {
    const runs = { aks: ['contosoprod.azurecr.io/shop/web@e'] };
    const lines = why(digestOf('e'), { ...world, runs });
    deepEqual(lines.slice(0, 3), [
      'ci/shop/web@e, which has no tag, stays:',
      '- it is used by pod 1 (aks)',
      '- its tags were taken off for build 4714 of shop at 2026-05-31T11:00:00.000Z',
    ]);
  });

  const nearest: Readonly<Record<string, string>> = {
    'shop/web:4710': 'There is no image shop/web:4710. The nearest are shop/web:4711, shop/web:4712 and shop/web:4713.',
    'ci/shop/web:471':
      'There is no image ci/shop/web:471. The nearest are shop/web:4711, shop/web:4712 and shop/web:4713.',
    'shop/wep:4711': 'There is no image shop/wep:4711. The nearest are shop/web and api.',
    'prod/api:v1': 'There is no image prod/api:v1. The nearest are api and shop/web.',
    '4799': 'No record and no tag names a build 4799. The nearest are 4711, 4712 and 4713.',
    '{{ image }}': 'There is no image {{ image }}. The nearest are api and shop/web.',
  };
  for (const [subject, line] of Object.entries(nearest)) {
    it(`says that there is no ${subject}, and what is nearest`, () => deepEqual(why(subject), [line]));
  }

  it('names the nearest digests of one that is not there', () => {
    const wanted = `${digestOf('a').slice(0, -3)}000` as const;
    match(
      tellWhy(wanted, lookAt(world).facts, lookAt(world).plan, options).join(),
      new RegExp(`The nearest are ${digestOf('a')}, `),
    );
  });

  it('does not call absent what may be where nobody could look', () => {
    const lines = why('shop/web:9', { ...world, unread: { 'ci/api': 'Azure answered 503' } });
    deepEqual(lines.slice(1), [
      'But not everything could be read:',
      '- the images of ci/api were not read: Azure answered 503',
    ]);
  });

  it('tells of a whole repository, but not of more than 50 images', () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`ci/web i${at}`, { tags: [`t${at}`] }]));
    const lines = why('web', { images: many });
    equal(lines.filter(line => line.startsWith('ci/web@')).length, 50);
    equal(lines.at(-1), 'And 10 more images.');
  });

  it('answers whatever it is asked, with every reason of the plan', () => {
    fc.assert(
      fc.property(someFacts, somePolicy, fc.string({ unit: 'binary', maxLength: 300 }), (facts, policy, asked) => {
        const plan = planImages(readPolicy(policy), facts);
        ok(tellWhy(asked, facts, plan, options).length > 0);
        const [image] = plan.images;
        if (!image) return;
        const text = tellWhy(image.digest, facts, plan, options).join('\n');
        for (const reason of image.reasons) ok(text.includes(`- ${reason}`));
      }),
      { numRuns: 40 },
    );
  });
});
