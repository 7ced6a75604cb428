/** What an image belongs to: the indexes that have it as a child, and what it refers to. Pure. */
import type { Digest } from '../../oci/digest.ts';
import { type Home, type Place, subjectsOf } from '../keep-policy/places.ts';

/** Of each of `places`: the owners that are there in its repository, whether or not they are among `places`. */
export function listOwners(home: Home, places: readonly Place[]): Map<Place, Set<Place>> {
  const owners = new Map<Place, Set<Place>>(places.map(place => [place, new Set()]));
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
