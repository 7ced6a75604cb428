/** A mapping as a user writes it, one a line: `web.image: shop/web`. */
import { inputError } from '../base/errors.ts';

/** Says which image stands where. */
export interface ImageMapping {
  /** In the values of the whole chart, so a subchart's begin with its name or alias. */
  readonly path: readonly string[];
  /** An image of the build; with `@sha256:…` behind it where the build has two of that repository. */
  readonly repository: string;
}

const pattern = /^((?:\\.|[^\\:]|:(?!\s))+):\s+(\S+)$/;

/** Reads one line. A dot in a key is written `\.`, an item of a list as its number. Throws `INPUT_INVALID` for what is none. */
export function parseMapping(line: string): ImageMapping {
  const [, keys = '', repository = ''] = pattern.exec(line.trim()) ?? [];
  const path = [...keys.matchAll(/((?:\\.|[^\\.])*)(?:\.|$)/g)].map(([, key = '']) => key.replace(/\\(.)/g, '$1'));
  // The last match is the empty one at the end.
  path.pop();
  if (path.length === 0 || path.includes('') || keys.endsWith('.')) {
    throw inputError(
      `The mapping "${line}" cannot be read. Write it as "web.image: shop/web": keys of the chart's values with dots between them, and an image of the build.`,
    );
  }
  return { path, repository };
}

/** The line that {@link parseMapping} reads. */
export function formatMapping({ path, repository }: ImageMapping): string {
  return `${formatPath(path)}: ${repository}`;
}

/** Keys with dots between them. */
export function formatPath(path: readonly string[]): string {
  return path.map(key => key.replace(/[\\.:]/g, each => `\\${each}`)).join('.');
}
