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

/**
 * Adds to `held` what is tied to it, and the reasons. Nearest first, in rounds: what an image is told does not depend on the
 * order of anything.
 */
export function spread<Key>(held: Map<Key, Set<string>>, tiesOf: (key: Key) => Iterable<Tie<Key>>): void {
  const rounds = new Map<Key, number>();
  for (const key of held.keys()) rounds.set(key, 0);
  let current = [...held.keys()];
  for (let round = 1; current.length > 0; round += 1) {
    const next: Key[] = [];
    for (const key of current) {
      for (const { to, reason, isDownward } of tiesOf(key)) {
        const known = rounds.get(to);
        if (known === undefined) {
          rounds.set(to, round);
          held.set(to, new Set([reason]));
          next.push(to);
        } else if (known === round || (isDownward && known === round - 1)) held.get(to)?.add(reason);
      }
    }
    current = next;
  }
}
