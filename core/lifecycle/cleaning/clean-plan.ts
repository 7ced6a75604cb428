/**
 * What a run would do, as a file that a person approves: each image with its next step and why. Pure. The same facts give
 * the same bytes but for `madeAt`; the hash is over what would be done alone, so that it tells which plan was approved.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError, inputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isRepository, isTag } from '../../oci/reference.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { hostOf } from '../configuration/registry-schema.ts';
import type { KeepPlan, PlannedImage } from '../keep-policy/keep-plan.ts';
import type { Place } from '../keep-policy/places.ts';
import type { BuildName, PlanFacts } from '../keep-policy/policy-facts.ts';
import { countKept, keptKinds } from './kept-because.ts';
import { findNextSteps } from './next-step.ts';
import { matchPlaces } from './planned-places.ts';

/** A plan of 250,000 deletions fits. */
export const maxPlanCharacters = 128 * 1024 * 1024;

const name = z.string().min(1).max(2048);
const count = z.int().nonnegative();
const digest = z.string().refine(isDigest) as unknown as z.ZodType<Digest>;
const build = z.strictObject({ organization: name, project: name, id: z.int().positive() });

const planned = z.strictObject({
  registry: name,
  repository: z.string().refine(isRepository),
  digest,
  mediaType: z.string().max(1024),
  /** Bytes. */
  size: count,
  tags: z.array(z.string().refine(isTag)),
  /** Those whose records or tombstones name it, in its registry. */
  builds: z.array(build),
  cause: z.enum(['build', 'untagged', 'withoutRecord', 'belongs']),
  reasons: z.array(z.string()).min(1),
});

const cleanPlan = z.strictObject({
  schema: z.literal(1),
  /** See {@link hashDeletions}. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601, by the clock of the facts. */
  madeAt: z.iso.datetime(),
  /** By their names in the configuration, in order, with their hosts: one name may be another registry's elsewhere. */
  registries: z.array(z.strictObject({ name, host: name })),
  /** URLs, in order. */
  organizations: z.array(name),
  /** What would be done, by registry, repository and digest. */
  deletions: z.array(planned.extend({ step: z.enum(['untag', 'delete']) })),
  /** Released, and not yet due: nothing is done to these now. `dueAt` is null where it is not known when they were released. */
  waiting: z.array(planned.extend({ dueAt: z.iso.datetime().nullable() })),
  kept: z.strictObject({
    images: count,
    /** An image counts once with each kind of reason that it has. */
    reasons: z.array(z.strictObject({ because: z.enum(keptKinds), images: count })),
  }),
  /** As in {@link KeepPlan}. */
  unread: z.array(z.string()),
  unparsed: z.array(z.string()),
});

/** What a run would do. */
export type CleanPlan = z.output<typeof cleanPlan>;
/** One image and its next step. */
export type PlannedDeletion = CleanPlan['deletions'][number];
/** One image that was released and waits. */
export type WaitingImage = CleanPlan['waiting'][number];

/** What of the configuration is in a plan: its registries, and how long a released image waits, in milliseconds. */
export type PlanScope = Pick<Configuration, 'grace'> & {
  readonly registries: readonly Pick<Configuration['registries'][number], 'name' | 'url'>[];
};

/** Makes the plan of one run. Throws `DEFECT` where facts and plan are not of one look. */
export function makeCleanPlan(facts: PlanFacts, plan: KeepPlan, { grace, registries }: PlanScope): CleanPlan {
  const places = matchPlaces(facts, plan);
  const steps = findNextSteps(plan.images, places, { now: facts.now, graceMs: grace });
  const deletions: PlannedDeletion[] = [];
  const waiting: WaitingImage[] = [];
  for (const [at, each] of plan.images.entries()) {
    const place = places[at] as Place;
    const next = steps.get(place);
    if (next?.kind === 'wait') {
      const dueAt = next.dueAt === undefined ? null : new Date(next.dueAt).toISOString();
      waiting.push({ ...describe(each, place), dueAt });
    } else if (next) {
      deletions.push({ ...describe(each, place), step: next.kind });
    }
  }
  const content = {
    registries: listHosts(registries),
    organizations: [...new Set(facts.organizations.map(each => each.name))].sort(),
    deletions,
    waiting,
    kept: {
      images: plan.images.filter(each => each.decision === 'keep').length,
      reasons: countKept(plan.images),
    },
    unread: [...plan.unread],
    unparsed: [...plan.unparsed],
  };
  return { schema: 1, hash: hashDeletions(content), madeAt: new Date(facts.now).toISOString(), ...content };
}

/** SHA-256, in hexadecimal, over the names and hosts of the registries, the organizations, and over registry, repository, digest, step and cause of each deletion. */
export function hashDeletions({
  registries,
  organizations,
  deletions,
}: Pick<CleanPlan, 'registries' | 'organizations' | 'deletions'>): string {
  const hosts = registries.map(each => [each.name, each.host]);
  const hash = createHash('sha256').update(`${JSON.stringify({ schema: 1, registries: hosts, organizations })}\n`);
  for (const { registry, repository, digest, step, cause } of deletions) {
    hash.update(`${JSON.stringify([registry, repository, digest, step, cause])}\n`);
  }
  return hash.digest('hex');
}

/** The plan as a file: JSON, each image on a line of its own. Throws `TOO_LARGE` where nobody could read it again. */
export function formatCleanPlan(plan: CleanPlan): string {
  const fields = Object.entries(plan).map(([key, value]) => `${JSON.stringify(key)}: ${formatValue(value)}`);
  // Whoever prints the file in a job must not run what a tag or a branch is called: no line holds "##".
  const text = `{\n${fields.join(',\n')}\n}\n`.replaceAll('#', '\\u0023');
  if (text.length <= maxPlanCharacters) return text;
  throw new AppError(
    `The plan of ${plan.deletions.length} deletions has ${text.length} characters, and no more than ${maxPlanCharacters} are read again. Look at fewer repositories at once.`,
    { code: 'TOO_LARGE' },
  );
}

function formatValue(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map(each => JSON.stringify(each)).join(',\n')}\n]`;
}

/**
 * Reads what {@link formatCleanPlan} wrote; `name` is what messages call the file. Throws `INPUT_INVALID` for what is no
 * such plan, or whose hash is not that of what it would delete.
 */
export function parseCleanPlan(text: string, name: string): CleanPlan {
  const again = 'Make the plan again, and hand it over as it is';
  if (text.length > maxPlanCharacters) {
    throw inputError(`${name} has more than ${maxPlanCharacters} characters, so it is no plan. ${again}.`);
  }
  const json = parseJson(text);
  if (json === undefined) throw inputError(`${name} is not JSON, or was cut off. ${again}.`);
  const read = cleanPlan.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue?.path.join('.') || 'the plan';
    throw inputError(`${name} is not a plan of this version: ${where} is not what it writes there. ${again}.`);
  }
  if (hashDeletions(read.data) !== read.data.hash) {
    throw inputError(`${name} was changed: its hash is not that of what it would delete. ${again}.`);
  }
  return read.data;
}

function describe(
  { registry, repository, digest, cause, reasons }: PlannedImage,
  { image, records }: Place,
): z.output<typeof planned> {
  const builds = [...records.map(each => each.record.build), ...(image.released ?? [])];
  return {
    registry,
    repository,
    digest,
    mediaType: image.mediaType,
    size: image.size,
    tags: image.tags.map(tag => tag.name).sort(),
    builds: distinctBuilds(builds),
    cause: cause ?? 'belongs',
    reasons: [...reasons],
  };
}

function distinctBuilds(builds: readonly BuildName[]): BuildName[] {
  const distinct = new Map(
    builds.map(({ organization, project, id }) => [
      JSON.stringify([organization, project, id]),
      { organization, project, id },
    ]),
  );
  return [...distinct].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, each]) => each);
}

/** The registries of a configuration as they stand in a plan. */
export function listHosts(registries: PlanScope['registries']): CleanPlan['registries'] {
  return registries
    .map(({ name, url }) => ({ name, host: hostOf(url) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
