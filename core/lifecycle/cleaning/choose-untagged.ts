/** Which images go for want of a tag, with what belongs to them; what waits for a released image is not among them. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Home, Place } from '../keep-policy/places.ts';
import { listOwners } from './image-owners.ts';
import type { Leaving } from './leaving.ts';

/** What goes in one repository. */
export interface UntaggedInHome {
  readonly home: Home;
  readonly going: readonly Leaving[];
}

/**
 * Chooses those of a plan that go now, by repository: an image that is the child of an index, or refers to something, goes
 * with all of these or not yet.
 */
export function chooseUntagged(leaving: readonly Leaving[]): UntaggedInHome[] {
  const able = leaving.filter(({ cause }) => cause === 'untagged' || cause === 'belongs');
  return [...groupBy(able, ({ place }) => place.home)].flatMap(([home, own]) => {
    const places = keepWhole(
      home,
      own.map(each => each.place),
    );
    const going = own.filter(each => places.has(each.place));
    return going.some(each => each.cause === 'untagged') ? [{ home, going }] : [];
  });
}

/** Without those that have an owner that is not among them, and so on. */
function keepWhole(home: Home, places: readonly Place[]): Set<Place> {
  const owners = listOwners(home, places);
  const whole = new Set(places);
  for (let size = -1; size !== whole.size; ) {
    size = whole.size;
    for (const place of whole) {
      if ([...(owners.get(place) ?? [])].some(owner => !whole.has(owner))) whole.delete(place);
    }
  }
  return whole;
}
