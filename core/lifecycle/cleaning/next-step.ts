/** Which step comes next for each image that is to go: its tags off, some waiting, then the manifest. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { PlannedImage } from '../keep-policy/keep-plan.ts';
import { type Home, namingTags, type Place } from '../keep-policy/places.ts';
import { listOwners } from './image-owners.ts';

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
  for (const [home, all] of groupBy(leaving, ({ place }) => place.home)) {
    const own = new Map(all.map(({ place, cause }) => [place, stepOf(place, cause, times)]));
    addSteps(home, own, steps);
  }
  return steps;
}

/** By itself; undefined where it only belongs to something. */
function stepOf({ image }: Place, cause: PlannedImage['cause'], { now, graceMs }: StepTimes): NextStep | undefined {
  if (cause === 'belongs') return undefined;
  if (cause === 'untagged') return { kind: 'delete' };
  // A chart's version and the tag of a signature hold nothing, and stay on it to the end.
  if (namingTags(image).length > 0 || !image.released?.length) return { kind: 'untag' };
  const dueAt = image.releasedAt === undefined ? undefined : image.releasedAt + graceMs;
  return dueAt !== undefined && dueAt <= now ? { kind: 'delete' } : { kind: 'wait', dueAt };
}

/** Nothing is farther than the last of the indexes and subjects that it belongs to; what belongs in a circle has not begun. */
function addSteps(home: Home, own: ReadonlyMap<Place, NextStep | undefined>, steps: Map<Place, NextStep>): void {
  const owners = listOwners(home, [...own.keys()]);
  /** Of each, the owners whose step is not known yet. */
  const open = new Map(
    [...owners].map(([place, above]) => [place, new Set([...above].filter(owner => own.has(owner)))]),
  );
  const below = turnAround(owners);
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

/** Of each owner, what belongs to it. */
function turnAround(owners: ReadonlyMap<Place, ReadonlySet<Place>>): Map<Place, Place[]> {
  const below = new Map<Place, Place[]>();
  for (const [place, above] of owners) {
    for (const owner of above) {
      const all = below.get(owner);
      if (all) all.push(place);
      else below.set(owner, [place]);
    }
  }
  return below;
}

const order = { untag: 0, wait: 1, delete: 2 };

/** Whichever is farther from the end. */
function earlier(one: NextStep, other: NextStep): NextStep {
  if (order[other.kind] < order[one.kind]) return other;
  if (one.kind !== 'wait' || other.kind !== 'wait') return one;
  const dueAt = one.dueAt === undefined || other.dueAt === undefined ? undefined : Math.max(one.dueAt, other.dueAt);
  return { kind: 'wait', dueAt };
}
