/** Which step comes next for each image that is to go: its tags off, some waiting, then the manifest. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Digest } from '../../oci/digest.ts';
import { subjectOfTag } from '../../oci/referrers.ts';
import type { PlannedImage } from '../keep-policy/keep-plan.ts';
import { type Place, subjectsOf } from '../keep-policy/places.ts';

/** What comes next. */
export type NextStep =
  | { readonly kind: 'untag' | 'delete' }
  /** It was released, and may be deleted from then on; undefined where it is not known when it was released. */
  | { readonly kind: 'wait'; readonly dueAt: number | undefined };

/** Now, and how long an image waits between the steps; in milliseconds. */
export interface StepTimes {
  readonly now: number;
  readonly graceMs: number;
}

/** The next step of each image that a plan deletes; `places` are those of `images`, in their order. */
export function findNextSteps(
  images: readonly PlannedImage[],
  places: readonly Place[],
  times: StepTimes,
): Map<Place, NextStep> {
  const leaving = images.flatMap(({ decision, cause }, at) =>
    decision === 'delete' ? [{ place: places[at] as Place, cause }] : [],
  );
  const steps = new Map<Place, NextStep>();
  for (const all of groupBy(leaving, ({ place }) => place.home).values()) {
    const own = new Map(all.map(({ place, cause }) => [place, stepOf(place, cause, times)]));
    addSteps(own, steps);
  }
  return steps;
}

/** By itself; undefined where it only belongs to something. */
function stepOf({ image }: Place, cause: PlannedImage['cause'], { now, graceMs }: StepTimes): NextStep | undefined {
  if (cause === 'belongs') return undefined;
  if (cause === 'untagged') return { kind: 'delete' };
  // A chart's version and the tag of a signature hold nothing, and stay on it to the end.
  const isTagged = image.tags.some(tag => tag.content !== true && subjectOfTag(tag.name) === undefined);
  if (isTagged || !image.released?.length) return { kind: 'untag' };
  const dueAt = image.releasedAt === undefined ? undefined : image.releasedAt + graceMs;
  return dueAt !== undefined && dueAt <= now ? { kind: 'delete' } : { kind: 'wait', dueAt };
}

/** Nothing is farther than the last of the indexes and subjects that it belongs to; what belongs in a circle has not begun. */
function addSteps(own: ReadonlyMap<Place, NextStep | undefined>, steps: Map<Place, NextStep>): void {
  const owners = listOwners([...own.keys()]);
  /** Of each, the owners whose step is not known yet. */
  const open = new Map([...owners].map(([place, above]) => [place, new Set(above)]));
  const below = new Map<Place, Place[]>();
  for (const [place, above] of owners) {
    for (const owner of above) {
      const all = below.get(owner);
      if (all) all.push(place);
      else below.set(owner, [place]);
    }
  }
  const queue = [...own.keys()].filter(place => open.get(place)?.size === 0);
  for (const place of queue) {
    const above = [...(owners.get(place) ?? [])].flatMap(owner => steps.get(owner) ?? []);
    const all = [own.get(place) ?? [], above].flat();
    steps.set(place, all.length > 0 ? all.reduce(earlier) : { kind: 'untag' });
    for (const other of below.get(place) ?? []) {
      const rest = open.get(other);
      if (rest?.delete(place) && rest.size === 0) queue.push(other);
    }
  }
  for (const place of own.keys()) if (!steps.has(place)) steps.set(place, { kind: 'untag' });
}

/** Of each image that leaves: the indexes that have it and what it refers to, as far as they leave too. */
function listOwners(leaving: readonly Place[]): Map<Place, Set<Place>> {
  const owners = new Map<Place, Set<Place>>(leaving.map(place => [place, new Set()]));
  const there = new Map<Digest, Place>(leaving.map(place => [place.image.digest, place]));
  const add = (digest: Digest, owner: Place | undefined): void => {
    const place = there.get(digest);
    if (place && owner) owners.get(place)?.add(owner);
  };
  for (const place of leaving) {
    const { digest, children, referrers } = place.image;
    for (const each of children ?? []) add(each, place);
    for (const each of referrers ?? []) add(each, place);
    for (const subject of subjectsOf(place.image)) add(digest, there.get(subject));
  }
  return owners;
}

const order = { untag: 0, wait: 1, delete: 2 };

/** Whichever is farther from the end. */
function earlier(one: NextStep, other: NextStep): NextStep {
  if (order[other.kind] < order[one.kind]) return other;
  if (one.kind !== 'wait' || other.kind !== 'wait') return one;
  const dueAt = one.dueAt === undefined || other.dueAt === undefined ? undefined : Math.max(one.dueAt, other.dueAt);
  return { kind: 'wait', dueAt };
}
