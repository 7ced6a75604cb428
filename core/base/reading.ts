/** What was read of a source: all of it, or nothing. Half a list is no fact, and an error is never an absence. */

/** A source that was read to its end, or why it was not. */
export type Reading<T> =
  | { readonly kind: 'whole'; readonly items: readonly T[] }
  | { readonly kind: 'unread'; readonly reason: string };
