/**
 * Where things do not fit together: what runs and is in no registry, builds without the images that they made, images
 * without a build, locks and leases that nobody ends. Pure. It tells people; nothing is decided by it.
 */
import type { Digest } from '../../oci/digest.ts';
import type { LeaseFact } from '../facts/read-leases.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import { type KnownBuild, knowBuilds } from '../keep-policy/known-builds.ts';
import type { Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { listById } from '../keep-policy/ready-rules.ts';
import { type LostImages, listLostImages } from './lost-images.ts';
import { type BrokenRelease, listBrokenReleases, listMissing, type MissingImage } from './missing-images.ts';
import { matchPlaces } from './planned-places.ts';
import { type KnownRegistry, shelveImages } from './shelves.ts';
import { findOwners } from './whose-images.ts';

/** What is asked beside the facts. */
export interface DriftOptions {
  /** The registries of the facts, with their hosts and what of them was looked at. */
  readonly registries: readonly KnownRegistry[];
  /** Left out where leases were not read. */
  readonly leases?: readonly LeaseFact[];
}

/** Images of one repository that no build is known of. */
export interface StrayImages {
  readonly registry: string;
  readonly repository: string;
  readonly images: number;
}

/** An image that a lock keeps although every build that made it is gone. */
export interface LockedImage {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** Tags that are locked; none where the image itself is. */
  readonly lockedTags: readonly string[];
}

/** What was found; each list in an order that does not change. */
export interface Drift {
  /** What runs and would not start again: the next ImagePullBackOff. */
  readonly missing: readonly MissingImage[];
  /** Helm releases with revisions that cannot be rolled back to. */
  readonly brokenReleases: readonly BrokenRelease[];
  /** Builds that are there, and images of theirs that are not. */
  readonly lostImages: readonly LostImages[];
  readonly strayImages: readonly StrayImages[];
  readonly lockedForEver: readonly LockedImage[];
  /** Undefined where leases were not read. */
  readonly idleLeases: readonly LeaseFact[] | undefined;
  /** References of what runs that cannot be read. */
  readonly unparsed: readonly string[];
  /** Sources that were not read; what they would have told is not among these. */
  readonly unread: readonly string[];
}

/** Finds it. Throws `DEFECT` where the plan was not made from these facts. */
export function findDrift(facts: PlanFacts, plan: KeepPlan, { registries, leases }: DriftOptions): Drift {
  const places = matchPlaces(facts, plan);
  const builds = knowBuilds(facts);
  const shelves = shelveImages(facts, places, registries);
  return {
    missing: listMissing(facts, shelves),
    brokenReleases: listBrokenReleases(facts, shelves),
    lostImages: listLostImages(facts, builds, shelves),
    strayImages: listStray(places, listById(builds)),
    lockedForEver: places.flatMap(describeLocked),
    idleLeases: leases?.filter(each => each.pipeline === 'gone').sort(byAge),
    unparsed: plan.unparsed,
    unread: plan.unread,
  };
}

function listStray(places: readonly Place[], buildsById: ReadonlyMap<string, readonly KnownBuild[]>): StrayImages[] {
  const ownerOf = findOwners(places, buildsById);
  const found: { registry: string; repository: string; images: number }[] = [];
  for (const place of places) {
    const { registry, repository } = place.home;
    if (ownerOf(place) !== 'nobody' || place.image.tags.some(tag => tag.content)) continue;
    const last = found.at(-1);
    if (last?.registry === registry && last.repository === repository) last.images += 1;
    else found.push({ registry, repository, images: 1 });
  }
  return found;
}

function describeLocked({ home, image, records }: Place): LockedImage[] {
  const lockedTags = image.tags.flatMap(tag => (tag.locked ? [tag.name] : []));
  if (!image.locked && lockedTags.length === 0) return [];
  if (records.length === 0 || records.some(each => !each.build?.isGone)) return [];
  const { registry, repository } = home;
  return [{ registry, repository, digest: image.digest, tags: image.tags.map(tag => tag.name), lockedTags }];
}

function byAge(one: LeaseFact, other: LeaseFact): number {
  return one.createdOn === other.createdOn ? one.build.id - other.build.id : one.createdOn < other.createdOn ? -1 : 1;
}
