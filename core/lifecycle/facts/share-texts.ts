/** One text in memory for all that are equal: two hundred thousand digests are named by lists, tags, records and indexes. */

/** Gives the first text that was equal. */
export type ShareText = <T extends string>(text: T) => T;

/** Remembers every text that it is given, for as long as it is itself held. */
export function createShareText(): ShareText {
  const known = new Map<string, string>();
  return text => {
    const first = known.get(text);
    if (first === undefined) known.set(text, text);
    return (first ?? text) as typeof text;
  };
}
