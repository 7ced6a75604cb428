/** A mapping as a user writes it, one a line: `web.image: shop/web`. */

/** Says which image stands where. */
export interface ImageMapping {
  /** In the values of the whole chart, so a subchart's begin with its name or alias. */
  readonly path: readonly string[];
  /** An image of the build; with `@sha256:…` behind it where the build has two of that repository. */
  readonly repository: string;
}

/** Reads one line. A dot in a key is written `\.`. Throws `INPUT_INVALID` for what is none. */
export function parseMapping(_line: string): ImageMapping {
  throw new Error('not yet');
}

/** The line that {@link parseMapping} reads. */
export function formatMapping(_mapping: ImageMapping): string {
  throw new Error('not yet');
}
