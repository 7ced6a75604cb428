/** Random facts and rules of few names, so that everything meets everything. */
import fc from 'fast-check';
import type { Reading } from '../../../../core/base/reading.ts';
import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
  TagFact,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { deleteSchema, keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { digestOf, now } from './policy-world.ts';

const hour = 3_600_000;
const day = 24 * hour;
const letters = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const digests = letters.map(digestOf);
const commits = ['c1', 'c2', 'c3', ''];

const digest = fc.constantFrom(...digests);
const some = <T>(items: fc.Arbitrary<T>, most = 3) => fc.array(items, { maxLength: most });
const rarely = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 80, arbitrary: usual }, { weight: 1, arbitrary: rare });
const nothing = fc.constant(undefined);
const age = fc.constantFrom(0.5, 1, 2, 2, 3, 5, 9).map(days => now - days * day);
const buildTime = fc.constantFrom(2, 3, 3, 4, 5, 9).map(days => now - days * day);

function reading<T>(items: fc.Arbitrary<T[]>, unreadWeight = 1): fc.Arbitrary<Reading<T>> {
  return fc.oneof(
    { weight: 100, arbitrary: items.map(each => ({ kind: 'whole' as const, items: each })) },
    { weight: unreadWeight, arbitrary: fc.constant({ kind: 'unread' as const, reason: '503' }) },
  );
}

const tag = (name: fc.Arbitrary<string>): fc.Arbitrary<TagFact> =>
  fc.record({
    name,
    locked: rarely(fc.constant(false), fc.constant(true)),
    changedAt: rarely(
      fc.constantFrom(2, 2, 2, 3, 9).map(days => now - days * day + hour / 2),
      nothing,
    ),
    content: rarely(fc.constant(false), fc.constant(true)),
  });

const signatureOf = (subject: fc.Arbitrary<string>) =>
  tag(subject.map(each => `${each.replace(':', '-')}.sig`)).map(each => [each]);

const otherTags = (own: string) =>
  fc.oneof(
    { weight: 40, arbitrary: fc.constant([]) },
    {
      weight: 4,
      arbitrary: tag(fc.constantFrom('v1', 'v-2', 'latest', '1', '2-linux', 'web-1')).map(each => [each]),
    },
    { weight: 2, arbitrary: signatureOf(digest) },
    { weight: 1, arbitrary: signatureOf(fc.constant(own)) },
  );

/** An image, and the builds whose records name it. */
const image = (at: number): fc.Arbitrary<{ fact: ImageFact; builds: number[] }> =>
  fc.uniqueArray(fc.constantFrom(1, 2, 3, 4), { maxLength: 2 }).chain(builds =>
    fc.record({
      builds: fc.constant(builds),
      fact: fc.record({
        digest: fc.constant(digests[at] as Digest),
        mediaType: fc.constant(''),
        size: fc.constant(1),
        locked: rarely(fc.constant(false), fc.constant(true)),
        pushedAt: rarely(age, nothing),
        tags: fc
          .tuple(
            fc.subarray(builds).chain(some => fc.tuple(...some.map(id => tag(fc.constant(String(id)))))),
            otherTags(digests[at] as Digest),
          )
          .map(([own, others]) => [...own, ...others.filter(each => !own.some(one => one.name === each.name))]),
        // Content addressing allows no circles.
        children: rarely(fc.subarray(digests.slice(at + 1), { maxLength: at < 3 ? 2 : 0 }), nothing),
        subject: rarely(
          fc.oneof({ weight: 6, arbitrary: fc.constant('none' as const) }, { weight: 1, arbitrary: digest }),
          nothing,
        ),
        released: fc.oneof(
          nothing,
          fc.uniqueArray(
            fc
              .record({ id: fc.constantFrom(...builds, 1), recorded: fc.boolean() })
              .map(({ id, recorded }) => ({ ...nameOf(id), recorded })),
            { maxLength: 2, selector: each => each.id },
          ),
        ),
        takenTags: fc.oneof(
          { weight: 4, arbitrary: nothing },
          { weight: 1, arbitrary: some(fc.constantFrom('1', '2', 'web-1', 'v3'), 2) },
        ),
      }),
    }),
  );

function nameOf(id: number) {
  return { organization: 'contoso', project: 'shop', id };
}

/** The images of a repository, some with the list of what refers to them. */
const images = fc
  .tuple(
    fc.tuple(...letters.map((_, at) => fc.option(image(at), { nil: undefined, freq: 3 }))),
    fc.array(fc.boolean(), { minLength: letters.length, maxLength: letters.length }),
  )
  .map(([all, areListed]) => {
    const there = all.filter(each => each !== undefined);
    return there.map(({ fact, builds }, at) => {
      const referrers = there.map(each => each.fact).filter(each => each.subject === fact.digest);
      const listed = areListed[at] ? { referrers: referrers.map(each => each.digest) } : {};
      return { builds, fact: { ...fact, ...listed } };
    });
  });

const recordOf = (id: number, repository: string, to: Digest): fc.Arbitrary<RecordFact> =>
  fc.record({
    build: fc.constant(nameOf(id)),
    definition: rarely(fc.constant(7), fc.constant(8)),
    promoted: fc.boolean(),
    onBuildDeleted: rarely(fc.constant('delete' as const), fc.constant('keep' as const)),
    images: fc.constant([{ repository, digest: to, tags: [String(id), `web-${id}`, `${id}-linux`] }]),
  });

/** A record of whatever. */
const stray = fc
  .tuple(fc.constantFrom(1, 2, 3, 4), fc.constantFrom('web', 'api'), digest)
  .chain(([id, repository, to]) => recordOf(id, repository, to));

const build = (id: number): fc.Arbitrary<BuildFact> =>
  buildTime.chain(finished =>
    fc.record({
      build: fc.constant(nameOf(id)),
      definition: rarely(fc.constant(7), fc.constant(8)),
      queuedAt: rarely(fc.constant(finished - 2 * hour), nothing),
      startedAt: fc.constant(finished - hour),
      finishedAt: rarely(fc.constant(finished + hour), nothing),
      source: rarely(fc.constantFrom('shop', 'shop', 'other'), fc.constant('')),
      ref: fc.oneof(
        {
          weight: 15,
          arbitrary: fc.constantFrom('refs/heads/main', 'refs/heads/dev', 'refs/tags/v1', 'refs/pull/12/merge'),
        },
        { weight: 1, arbitrary: fc.constant('') },
      ),
      commit: fc.constantFrom(...commits),
      state: fc.oneof(
        { weight: 12, arbitrary: fc.constant({ kind: 'deleted' as const }) },
        { weight: 2, arbitrary: fc.constant({ kind: 'alive' as const }) },
        {
          weight: 2,
          arbitrary: fc.record({
            kind: fc.constant('absent' as const),
            scope: fc.constant('build' as const),
            since: age,
          }),
        },
        { weight: 1, arbitrary: fc.constant({ kind: 'unknown' as const, reason: '503' }) },
      ),
      retainedBy: rarely(
        fc.constant({ kind: 'whole' as const, items: [] as string[] }),
        reading(fc.constant(['the lease of QA'])),
      ),
    }),
  );

const source = (name: string) =>
  fc.record({
    source: fc.constant(name),
    branches: reading(
      fc.uniqueArray(fc.record({ name: fc.constantFrom('main', 'dev', 'old'), lastActivity: rarely(age, nothing) }), {
        selector: each => each.name,
      }),
      6,
    ),
    tags: reading(
      fc.uniqueArray(
        fc.record({
          name: fc.constantFrom('v1', 'v2'),
          date: rarely(age, nothing),
          commit: rarely(fc.constantFrom('c1', 'c2'), nothing),
        }),
        { selector: each => each.name },
      ),
      6,
    ),
    pullRequests: reading(
      some(
        fc.record({
          id: fc.constant(12),
          state: fc.constantFrom('active' as const, 'completed' as const),
          lastActivity: age,
        }),
        1,
      ),
      6,
    ),
  });

const reference = fc.oneof(
  { weight: 40, arbitrary: digest.map(each => `ci.example/web@${each}`) },
  { weight: 10, arbitrary: fc.constantFrom('ci.example/web:1', 'prod.example/x/api:2', 'web') },
  { weight: 1, arbitrary: fc.constantFrom('${R}/web:1', `sha256:${'0'.repeat(64)}`, '{{ x }}') },
);

const usage = (name: string) =>
  fc.record({
    name: fc.constant(name),
    takenAt: rarely(fc.constant(now - hour), fc.constantFrom(undefined, now - 3 * day)),
    uses: reading(
      some(
        fc.record({
          image: reference,
          imageId: fc.option(reference, { nil: undefined }),
          where: fc.constantFrom('pod 1', 'pod 2'),
        }),
        2,
      ),
    ),
    releases: reading(
      some(
        fc.record({
          namespace: fc.constant('shop'),
          name: fc.constant('web'),
          oldestInUse: rarely(fc.constantFrom(2, 3), nothing),
          revisions: some(
            fc.record({
              revision: fc.constantFrom(1, 2, 3),
              status: fc.constantFrom('superseded', 'deployed', 'failed'),
              images: some(reference, 1),
            }),
            3,
          ),
        }),
        1,
      ),
    ),
  });

const registry = (name: string): fc.Arbitrary<PlanFacts['registries'][number]> =>
  fc.tuple(images, images).chain(homes => {
    const repositories = homes.map((all, at) => ({ name: at === 0 ? 'web' : 'api', all }));
    const records = repositories.flatMap(({ name: repository, all }) =>
      all.flatMap(({ fact, builds }) => builds.map(id => recordOf(id, repository, fact.digest))),
    );
    return fc.record({
      name: fc.constant(name),
      repositories: fc
        .tuple(...repositories.map(each => reading(fc.constant(each.all.map(({ fact }) => fact)))))
        .chain(read =>
          reading(fc.constant(read.map((images, at) => ({ name: repositories[at]?.name ?? '', images })))),
        ),
      records: reading(fc.tuple(fc.tuple(...records), some(stray, 1)).map(parts => parts.flat())),
    });
  });

/** Random facts. Most worlds are read whole, and most builds are gone. */
export const someFacts: fc.Arbitrary<PlanFacts> = fc.record({
  now: fc.constant(now),
  registries: fc.tuple(registry('ci'), registry('prod')).map(each => [...each]),
  builds: fc.tuple(...[1, 2, 3, 4].map(build)).map(each => [...each]),
  organizations: rarely(fc.constant([{ name: 'contoso' }]), fc.constant([{ name: 'contoso', unread: '503' }])),
  sources: fc.tuple(source('shop'), source('other')).map(each => [...each]),
  usage: fc.tuple(usage('prod'), usage('qa')).map(each => [...each]),
});

/** One rule about references, as it is written. */
export const someReference = fc
  .record({
    kind: fc.constantFrom(
      { branch: 'main' },
      { branch: '*' },
      { branch: '/^(dev|old)$/' },
      { tag: 'v*' },
      { pullRequest: 'active' },
    ),
    images: fc.constantFrom(
      {},
      { last: 0 },
      { last: 1 },
      { last: 2 },
      { in: '72h' },
      { last: 1, in: '72h', operator: 'Or' },
      { last: 2, in: '72h' },
      { last: 0, in: '72h', operator: 'Or' },
    ),
    limit: fc.constantFrom({}, { limit: 1 }, { activeWithin: '48h' }, { activeWithin: '72h', limit: 1 }),
  })
  .map(({ kind, images, limit }) => ({ ...kind, images, ...limit }));

/** A policy as it is written. */
export interface WrittenPolicy {
  readonly keep: {
    readonly deployed: boolean;
    readonly helmRevisions: number | undefined;
    readonly tags: readonly string[];
    readonly references: readonly object[];
    readonly newerThan: string;
  };
  readonly delete: { readonly untagged?: object | undefined; readonly withoutRecord?: object | 'keep' };
  /** `onBuildDeleted` of the registry `prod`. */
  readonly prod: string | undefined;
}

/** A policy of any kind. */
export const somePolicy: fc.Arbitrary<WrittenPolicy> = fc.record({
  keep: fc.record({
    deployed: fc.boolean(),
    helmRevisions: fc.constantFrom(undefined, undefined, 0, 1, -1),
    tags: fc.constantFrom([], ['v*']),
    references: some(someReference, 3),
    newerThan: fc.constantFrom('0s', '0s', '1h', '36h'),
  }),
  delete: fc.record(
    {
      untagged: fc.constantFrom({ olderThan: '1h' }, { olderThan: '60h' }),
      withoutRecord: fc.constant({ tagsMatching: '/^(web-)?\\d+$/', definitions: [7] }),
    },
    { requiredKeys: [] },
  ),
  prod: fc.constantFrom('delete', 'delete', 'keep', undefined),
});

/** Reads a written policy. */
export function readPolicy(policy: WrittenPolicy): PlanRules {
  return {
    keep: keepSchema.parse(policy.keep),
    delete: deleteSchema.parse(policy.delete),
    registries: [
      { name: 'ci', onBuildDeleted: 'delete' },
      { name: 'prod', onBuildDeleted: policy.prod as 'delete' },
    ],
    organizations: [
      { name: 'contoso', buildTagPrefix: '', alsoOwn: [], projects: [{ name: 'shop', repositories: ['*'] }] },
    ],
    usage: [{ name: 'prod', maxAge: day }, { name: 'qa' }],
  };
}
