/** How a reason to stay goes on from image to image: to what must stay with it. Pure. */

/** An edge: `to` must stay when the one it starts from does. */
export interface Tie<Key> {
  readonly to: Key;
  readonly reason: string;
  /**
   * Such ties alone never come back to where they start (from index to child, from subject to referrer), so their reason is
   * told to what stays already as well. Of the others it would only be told that each of two stays because of the other.
   */
  readonly isDownward: boolean;
}

/** Adds a reason; whoever reads them drops what is there twice. */
export function addReason<Key>(held: Map<Key, string[]>, key: Key, reason: string): void {
  const known = held.get(key);
  if (known) known.push(reason);
  else held.set(key, [reason]);
}

/** What stays so far, and a way to add to it. */
export interface Held<Key> {
  has(key: Key): boolean;
  add(key: Key, reason: string): void;
}

/**
 * Adds to `held` what is tied to it, and the reasons. `seeds` are those of it that have ties. Nearest first, in rounds: what
 * an image is told does not depend on the order of anything.
 */
export function spread<Key>(held: Held<Key>, seeds: readonly Key[], tiesOf: (key: Key) => Iterable<Tie<Key>>): void {
  const rounds = new Map<Key, number>();
  for (const key of seeds) rounds.set(key, 0);
  let current = seeds;
  for (let round = 1; current.length > 0; round += 1) {
    const next: Key[] = [];
    for (const key of current) {
      for (const { to, reason, isDownward } of tiesOf(key)) {
        const known = rounds.get(to) ?? (held.has(to) ? 0 : undefined);
        if (known !== undefined && known < round - (isDownward ? 1 : 0)) continue;
        held.add(to, reason);
        if (known !== undefined) continue;
        rounds.set(to, round);
        next.push(to);
      }
    }
    current = next;
  }
}
