/** Which step comes next for each image that is to go: its tags off, some waiting, then the manifest. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Digest } from '../../oci/digest.ts';
import { subjectOfTag } from '../../oci/referrers.ts';
import type { PlannedImage } from '../keep-policy/keep-plan.ts';
import { type Home, type Place, subjectsOf } from '../keep-policy/places.ts';

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
  for (const { place, cause } of leaving) if (cause !== 'belongs') steps.set(place, stepOf(place, cause, times));
  const following = groupBy(
    leaving.flatMap(({ place, cause }) => (cause === 'belongs' ? [place] : [])),
    place => place.home,
  );
  for (const [home, followers] of following) addFollowers(home, followers, steps);
  return steps;
}

function stepOf({ image }: Place, cause: PlannedImage['cause'], { now, graceMs }: StepTimes): NextStep {
  if (cause === 'untagged') return { kind: 'delete' };
  // A chart's version and the tag of a signature hold nothing, and stay on it to the end.
  const isTagged = image.tags.some(tag => tag.content !== true && subjectOfTag(tag.name) === undefined);
  if (isTagged || !image.released?.length) return { kind: 'untag' };
  const dueAt = image.releasedAt === undefined ? undefined : image.releasedAt + graceMs;
  return dueAt !== undefined && dueAt <= now ? { kind: 'delete' } : { kind: 'wait', dueAt };
}

/** What belongs to several indexes or subjects is as far as the last of them; what belongs in a circle has not begun. */
function addFollowers(home: Home, followers: readonly Place[], steps: Map<Place, NextStep>): void {
  const owners = listOwners(home, followers);
  /** Of each follower, the owners that are followers themselves and whose step is not known yet. */
  const open = new Map(
    followers.map(place => [place, new Set([...ownersOf(owners, place)].filter(each => owners.has(each)))]),
  );
  const below = new Map<Place, Place[]>(followers.map(place => [place, []]));
  for (const [place, above] of open) for (const owner of above) below.get(owner)?.push(place);
  const queue = followers.filter(place => open.get(place)?.size === 0);
  for (const place of queue) {
    const above = [...ownersOf(owners, place)].flatMap(owner => steps.get(owner) ?? []);
    steps.set(place, above.length > 0 ? above.reduce(earlier) : { kind: 'untag' });
    for (const other of below.get(place) ?? []) {
      const rest = open.get(other);
      if (rest?.delete(place) && rest.size === 0) queue.push(other);
    }
  }
  for (const place of followers) if (!steps.has(place)) steps.set(place, { kind: 'untag' });
}

type Owners = ReadonlyMap<Place, ReadonlySet<Place>>;

function ownersOf(owners: Owners, place: Place): ReadonlySet<Place> {
  return owners.get(place) ?? new Set();
}

/** Of each follower: the indexes that have it and what it refers to, as far as they are there. */
function listOwners(home: Home, followers: readonly Place[]): Owners {
  const owners = new Map<Place, Set<Place>>(followers.map(place => [place, new Set()]));
  const there = new Map<Digest, Place>(home.places.map(place => [place.image.digest, place]));
  const add = (digest: Digest, owner: Place | undefined): void => {
    const place = there.get(digest);
    if (place && owner) owners.get(place)?.add(owner);
  };
  for (const place of home.places) {
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
