/**
 * The parts of the configuration that say what must stay and what may go: `keep`, `delete`, and a registry's `usage`.
 * Pure. docs/keep-policies.md explains each key; what is left out has the value that keeps more.
 */
import { z } from 'zod';
import { duration, flag, namePattern, say, units } from '../configuration/configuration-values.ts';
import { clusterNameShape, isClusterName } from '../facts/usage-report.ts';

const years = 3650 * units.d;
/** Not `z.int`, whose fault would keep the rules beside it from being looked at. */
const count = (least: number) => {
  const shape = `must be a whole number, at least ${least}`;
  const isRight = (value: number): boolean => Number.isSafeInteger(value) && value >= least;
  return z.number(shape).refine(isRight, shape).meta({ type: 'integer', minimum: least });
};

/** A rule is checked beside its own faults, so that all are told at once. */
const always = { when: () => true };

const imagesOfReference = z
  .strictObject({
    last: count(-1).optional(),
    in: duration(0, years).optional(),
    operator: flag(['And', 'Or']).optional(),
  })
  .refine(
    value => !isBlock(value) || value.operator === undefined || (value.last !== undefined && value.in !== undefined),
    { path: ['operator'], message: 'joins last and in, so it needs both', ...always },
  )
  .transform(({ last = -1, in: within, operator = 'And' }) => ({ last, in: within, operator }));

const reference = z
  .strictObject({
    branch: namePattern.optional(),
    tag: namePattern.optional(),
    pullRequest: flag(['active']).optional(),
    images: imagesOfReference.prefault({}),
    activeWithin: duration(0, years).optional(),
    limit: count(1).optional(),
  })
  .refine(value => !isBlock(value) || kindsOf(value).length === 1, {
    message: 'must have one of branch, tag and pullRequest',
    ...always,
  })
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

/** `keep`: what must stay. */
export const keepSchema = z
  .strictObject({
    deployed: z.boolean('must be true or false').prefault(true),
    helmRevisions: count(-1).optional(),
    tags: z.array(namePattern).prefault([]),
    references: z.array(reference).prefault(usualReferences),
    newerThan: duration(0, years).prefault('24h'),
  })
  // Whoever says that nothing is deployed has no history to keep either, unless they ask for it.
  .transform(keep => ({ ...keep, helmRevisions: keep.helmRevisions ?? (keep.deployed ? 10 : undefined) }))
  .prefault({});

/** A build must be told beyond doubt: what is found anywhere in a tag is not. */
const buildTags = namePattern.refine(pattern => pattern.isWhole, 'must be a glob, or an expression from ^ to $');

const withoutRecord = z.union(
  [
    z.literal('keep'),
    z.strictObject({
      tagsMatching: buildTags,
      definitions: z.array(count(1)).min(1, 'must name at least one definition, by its number'),
    }),
  ],
  say('must be keep, or a block with both tagsMatching and definitions'),
);

/** `delete`: what may go beside the images of builds that are gone. */
export const deleteSchema = z
  .strictObject({
    untagged: z.strictObject({ olderThan: duration(units.h, years) }).optional(),
    withoutRecord: withoutRecord.prefault('keep'),
  })
  .prefault({});

/** `usage` of a registry: that a cluster reports into it what it runs, and how old the report may be. */
export const usageSchema = z.strictObject({
  report: flag(['required']),
  maxAge: duration(units.m, 30 * units.d).prefault('24h'),
  /** Those that must report; beside these, whichever reports are there. */
  clusters: z
    .array(z.string().refine(isClusterName, `must be ${clusterNameShape}`))
    .min(1, 'must name at least one cluster')
    .optional(),
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
