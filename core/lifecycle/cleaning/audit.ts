/**
 * What lies in the registries, whose it is, and what the plan would make free. Pure. Bytes are what a registry stores:
 * compressed, and each layer once in a registry however many images have it, which is how Azure bills.
 * https://learn.microsoft.com/azure/container-registry/container-registry-concepts
 */
import { groupBy } from '../../base/group-by.ts';
import type { Cause } from '../keep-policy/judge-copy.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import { knowBuilds } from '../keep-policy/known-builds.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { listById } from '../keep-policy/ready-rules.ts';
import { listAssumptions } from './audit-assumptions.ts';
import { type AuditedImage, listRemarkable } from './audited-images.ts';
import type { Inventory } from './inventory.ts';
import { matchPlaces } from './planned-places.ts';
import { type AuditedPlace, ageBands, weighRegistry } from './weigh-registry.ts';
import { findOwners, type Owner, owners } from './whose-images.ts';

/** Images and their bytes. */
export interface Amount {
  readonly images: number;
  readonly bytes: number;
  /** Images that the plan would have go, and the bytes that nothing else needs then. */
  readonly leaving: number;
  readonly freedBytes: number;
}

/** Some repositories, in one or several registries. */
export interface AuditGroup extends Amount {
  readonly name: string;
  /** Bytes that nobody else in its registry has; the others are shared. */
  readonly ownBytes: number;
}

/** One repository. */
export interface AuditedRepository extends AuditGroup {
  readonly registry: string;
}

/** How old what lies there is: of each layer, by the newest image that has it. */
export interface AgeBand {
  /** For people: `up to 30 days`. */
  readonly name: string;
  readonly bytes: number;
}

/** What was found. Lists begin with what has the most bytes. */
export interface Audit {
  /** ISO 8601, by the clock of the facts. */
  readonly at: string;
  readonly total: Amount;
  /** Those that were read, though there may be nothing in them. */
  readonly registries: readonly AuditGroup[];
  /** Of all registries together, by the first part of the path; `''` are repositories without one. */
  readonly teams: readonly AuditGroup[];
  readonly repositories: readonly AuditedRepository[];
  /** Whose the bytes are: each byte counted once, for the strongest of those who have a part in it. */
  readonly owners: readonly (Amount & { readonly owner: Owner })[];
  readonly ages: readonly AgeBand[];
  /** Why images would go. */
  readonly causes: readonly { readonly cause: Cause; readonly images: number }[];
  readonly biggest: readonly AuditedImage[];
  readonly oldest: readonly AuditedImage[];
  /** Whether anything was given that tells what runs; else no more than what is shown would become free, and perhaps less. */
  readonly knowsUsage: boolean;
  /** What was assumed, in sentences. */
  readonly assumptions: readonly string[];
  readonly unread: readonly string[];
  readonly unparsed: readonly string[];
}

/**
 * Audits what was read. Without an inventory, or for what it lacks, images are counted by the size that the registry
 * lists, and nothing as shared. Throws `DEFECT` where the plan was not made from these facts.
 */
export function auditEstate(facts: PlanFacts, plan: KeepPlan, inventory?: Inventory): Audit {
  const byRegistry = groupBy(listAudited(facts, plan, inventory), ({ place }) => place.home.registry);
  const weighed = [...byRegistry].map(([name, audited]) => weighRegistry(audited, inventory?.of(name), facts.now));
  const unlisted = weighed.reduce((sum, { blobs }) => sum + blobs.unread, 0);
  const registries = [...weighed.map(({ group }) => group), ...listEmpty(facts, byRegistry)];
  return {
    at: new Date(facts.now).toISOString(),
    total: addAmounts(registries),
    registries: registries.sort(byBytes),
    teams: joinTeams(weighed.flatMap(each => each.teams)),
    repositories: weighed.flatMap(each => each.repositories).sort(byBytes),
    owners: owners.map(owner => ({ owner, ...addAmounts(weighed.map(each => each.owners[owner])) })),
    ages: ageBands.map(({ name }, at) => ({ name, bytes: sumOf(weighed, ({ ages }) => ages[at] ?? 0) })),
    causes: countCauses(plan),
    ...listRemarkable(weighed),
    knowsUsage: facts.usage.length > 0,
    assumptions: listAssumptions(facts, plan, unlisted),
    unread: plan.unread,
    unparsed: plan.unparsed,
  };
}

function listAudited(facts: PlanFacts, plan: KeepPlan, inventory: Inventory | undefined): AuditedPlace[] {
  const places = matchPlaces(facts, plan);
  const ownerOf = findOwners(places, listById(knowBuilds(facts)));
  return places.map((place, at) => {
    const isChart = inventory?.of(place.home.registry).kindOf(place.image.digest) === 'chart';
    const owner = isChart || place.image.tags.some(tag => tag.content) ? 'chart' : ownerOf(place);
    return { place, owner, isLeaving: plan.images[at]?.decision === 'delete' };
  });
}

/** Whoever looked at a registry and found nothing has looked at it all the same. */
function listEmpty({ registries }: PlanFacts, weighed: ReadonlyMap<string, unknown>): AuditGroup[] {
  const read = registries.filter(({ name, repositories }) => repositories.kind === 'whole' && !weighed.has(name));
  const names = [...new Set(read.map(({ name }) => name))];
  return names.map(name => ({ name, images: 0, bytes: 0, ownBytes: 0, leaving: 0, freedBytes: 0 }));
}

function countCauses({ images }: KeepPlan): Audit['causes'] {
  const leaving = groupBy(
    images.flatMap(each => each.cause ?? []),
    cause => cause,
  );
  return [...leaving]
    .map(([cause, all]) => ({ cause, images: all.length }))
    .sort((one, other) => other.images - one.images || (one.cause < other.cause ? -1 : 1));
}

/** A team may have images in several registries, each of which stores its own. */
function joinTeams(teams: readonly AuditGroup[]): AuditGroup[] {
  const joined = [...groupBy(teams, each => each.name)].map(([name, all]) => ({
    name,
    ...addAmounts(all),
    ownBytes: sumOf(all, each => each.ownBytes),
  }));
  return joined.sort(byBytes);
}

function addAmounts(all: readonly Amount[]): Amount {
  return {
    images: sumOf(all, each => each.images),
    bytes: sumOf(all, each => each.bytes),
    leaving: sumOf(all, each => each.leaving),
    freedBytes: sumOf(all, each => each.freedBytes),
  };
}

function sumOf<T>(all: readonly T[], amountOf: (each: T) => number): number {
  return all.reduce((sum, each) => sum + amountOf(each), 0);
}

function byBytes(one: AuditGroup, other: AuditGroup): number {
  const key = ({ name, registry = '' }: AuditGroup & { registry?: string }) => `${registry}/${name}`;
  return other.bytes - one.bytes || (key(one) < key(other) ? -1 : 1);
}
