/**
 * The parts of the configuration that say what must stay and what may go: `keep`, `delete`, and a registry's `usage`.
 * Pure. docs/keep-policies.md explains each key; what is left out has the value that keeps more.
 */
import { z } from 'zod';
import { duration, flag, namePattern, say, units } from '../configuration/configuration-values.ts';
import { clusterNameShape, isClusterName } from '../facts/usage-report.ts';

const years = 3650 * units.d;
/** Not `z.int`, whose fault would keep the rules beside it from being looked at. */
const count = (least: number, shape = `must be a whole number, at least ${least}`) => {
  const isRight = (value: number): boolean => Number.isSafeInteger(value) && value >= least;
  return z.number(shape).refine(isRight, shape).meta({ type: 'integer', minimum: least });
};

/** A rule is checked beside its own faults, so that all are told at once. */
const always = { when: () => true };

const imagesOfReference = z
  .strictObject({
    last: count(-1).optional().describe('The newest so many; -1: all of them, 0: none. Left out: all.'),
    in: duration(0, years).optional().describe('Those of the last so many hours or days.'),
    operator: flag(['And', 'Or']).optional().describe('Whether both last and in must hold, or one. Left out: And.'),
  })
  .refine(
    value => !isBlock(value) || value.operator === undefined || (value.last !== undefined && value.in !== undefined),
    { path: ['operator'], message: 'joins last and in, so it needs both', ...always },
  )
  .meta({ dependencies: { operator: ['last', 'in'] } })
  .transform(({ last = -1, in: within, operator = 'And' }) => ({ last, in: within, operator }));

const reference = z
  .strictObject({
    branch: namePattern('branch').optional().describe('Branches, by a glob or a /regular expression/.'),
    tag: namePattern('tag').optional().describe('Tags of git, by a glob or a /regular expression/.'),
    pullRequest: flag(['active']).optional().describe('Pull requests that are active.'),
    images: imagesOfReference.prefault({}).describe('Which images of each reference stay. Left out: all.'),
    activeWithin: duration(0, years).optional().describe('Only references whose last activity is not older.'),
    limit: count(1).optional().describe('Only the newest so many references of each git repository.'),
  })
  .refine(value => !isBlock(value) || kindsOf(value).length === 1, {
    message: 'must have one of branch, tag and pullRequest',
    ...always,
  })
  .meta({ oneOf: [{ required: ['branch'] }, { required: ['tag'] }, { required: ['pullRequest'] }] })
  .transform(({ branch, tag, pullRequest, ...rest }) => ({
    ...rest,
    kind: kindsOf({ branch, tag, pullRequest })[0] ?? 'branch',
    /** Of a pull request, none: every one that is active. */
    pattern: branch ?? tag,
  }));

function isBlock(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function kindsOf(value: Readonly<Record<string, unknown>>): ('branch' | 'tag' | 'pullRequest')[] {
  return (['branch', 'tag', 'pullRequest'] as const).filter(kind => value[kind] !== undefined);
}

/** What people work on where nothing else is said. */
const usualReferences: z.input<typeof reference>[] = [
  { branch: '/^(main|master|staging|production|release\\/.*)$/', images: { last: 10 } },
  { branch: '*', images: { last: 2, in: '168h' }, activeWithin: '168h', limit: 10 },
  { pullRequest: 'active', images: { last: 2 } },
  { tag: '*', limit: 10 },
];

const orNone = 'must be none, or a whole number, at least -1';

/** `keep`: what must stay. */
export const keepSchema = z
  .strictObject({
    deployed: z.boolean('must be true or false').prefault(true).describe('Whether what any cluster uses stays.'),
    helmRevisions: z
      .union([z.literal('none'), count(-1, orNone)], say(orNone))
      .optional()
      .describe(
        'Stored Helm revisions that stay beside those in use and newer ones; -1: all; none: Helm is not asked. Left out: 10 with deployed.',
      ),
    tags: z
      .array(namePattern('imageTag'))
      .prefault([])
      .describe('Images with such a tag stay: globs or /regular expressions/. Released versions, for instance.'),
    references: z
      .array(reference)
      .prefault(usualReferences)
      .describe('What people work on: images of branches, tags of git, and pull requests.'),
    newerThan: duration(0, years).prefault('24h').describe('What was pushed or tagged since stays.'),
  })
  // Whoever says that nothing is deployed has no history to keep either, unless they ask for it.
  .transform(({ helmRevisions, ...keep }) => ({
    ...keep,
    helmRevisions: helmRevisions === 'none' ? undefined : (helmRevisions ?? (keep.deployed ? 10 : undefined)),
  }))
  .prefault({})
  .describe('What must stay, whatever became of its build. Keep beats delete.');

/** A build must be told beyond doubt: what is found anywhere in a tag is not. */
const buildTags = namePattern('imageTag').refine(
  pattern => pattern.isWhole,
  'must be a glob, or an expression from ^ to $',
);

const withoutRecord = z.union(
  [
    z.literal('keep'),
    z.strictObject({
      tagsMatching: buildTags.describe('What every tag of such an image is: a glob, or an expression from ^ to $.'),
      definitions: z
        .array(count(1))
        .min(1, 'must name at least one definition, by its number')
        .describe('The pipelines that made them, by their numbers.'),
    }),
  ],
  say('must be keep, or a block with both tagsMatching and definitions'),
);

/** `delete`: what may go beside the images of builds that are gone. */
export const deleteSchema = z
  .strictObject({
    untagged: z
      .strictObject({ olderThan: duration(units.h, years).describe('How long it must not have changed.') })
      .optional()
      .describe('What has no tag at all goes. Left out: it stays.'),
    withoutRecord: withoutRecord
      .prefault('keep')
      .describe('Images that no record names: keep, or how to tell the build of each.'),
  })
  .prefault({})
  .describe('What may go beside the images of builds that are gone.');

/** `usage` of a registry: that a cluster reports into it what it runs, and how old the report may be. */
export const usageSchema = z.strictObject({
  report: flag(['required']).describe('Without a report that can be read nothing goes.'),
  maxAge: duration(units.m, 30 * units.d)
    .prefault('24h')
    .describe('How old a report may be.'),
  clusters: z
    .array(z.string().refine(isClusterName, `must be ${clusterNameShape}`).meta({ pattern: '^[a-z0-9][a-z0-9._/-]*$' }))
    .min(1, 'must name at least one cluster')
    .optional()
    .describe('Clusters that must report; beside these, whichever reports are there.'),
});

/** What must stay; durations are milliseconds, patterns compiled. */
export type KeepPolicy = z.output<typeof keepSchema>;
/** What may go. */
export type DeletePolicy = z.output<typeof deleteSchema>;
/** The report of a registry. */
export type UsagePolicy = z.output<typeof usageSchema>;
/** One rule about branches, tags or pull requests. */
export type ReferenceRule = KeepPolicy['references'][number];
/** Which images of a reference stay: the newest `last` (-1: all), and or or those of the last `in` milliseconds. */
export type ImagesOfReference = ReferenceRule['images'];
