/** How many bytes went with what was deleted, as far as sizes tell. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Place } from '../keep-policy/places.ts';
import { placeOf } from '../surroundings.ts';
import type { CleanItem } from './clean-report.ts';

/** Bytes of the deleted images of which no copy is left in their registry; `places` is all that was read. */
export function freedBytes(places: readonly Place[], items: readonly CleanItem[]): number {
  const deleted = new Set(
    items.flatMap(each => (each.outcome === 'deleted' ? keyOf(each.registry, each.subject) : [])),
  );
  if (deleted.size === 0) return 0;
  const isGone = ({ home, image }: Place): boolean =>
    deleted.has(keyOf(home.registry, placeOf({ repository: home.repository, digest: image.digest })));
  const copies = groupBy(places, ({ home, image }) => keyOf(home.registry, image.digest));
  let bytes = 0;
  for (const [first, ...others] of copies.values()) {
    if (first && isGone(first) && others.every(isGone)) bytes += first.image.size;
  }
  return bytes;
}

function keyOf(registry: string, rest: string): string {
  return `${registry} ${rest}`;
}
