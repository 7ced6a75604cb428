/** A mapping as a user writes it, one a line: `web.image=shop/web`. */
import { inputError } from '../base/errors.ts';

/** Says which image stands where. */
export interface ImageMapping {
  /** In the values of the whole chart, so a subchart's begin with its name or alias. */
  readonly path: readonly string[];
  /** An image of the build; with `@sha256:…` behind it where the build has two of that repository. */
  readonly repository: string;
}

/**
 * Reads one line. A dot, a colon or an equals sign in a key has a backslash before it; an item of a list is its number.
 * Throws `INPUT_INVALID` for what is none.
 */
export function parseMapping(line: string): ImageMapping {
  const [, keys = '', repository = ''] = /^((?:\\.|[^\\=])+)=\s*([^\s=]+)$/.exec(line.trim()) ?? [];
  const path = splitKeys(keys.trim());
  if (!path.includes('')) return { path, repository };
  throw inputError(
    `The mapping "${line}" cannot be read. Write it as web.image=shop/web: keys of the chart's values with dots between them, and an image of the build.`,
  );
}

function splitKeys(keys: string): string[] {
  const path = [''];
  for (const [piece] of keys.matchAll(/\\.|[^\\]/gs)) {
    if (piece === '.') path.push('');
    else path.push(`${path.pop() ?? ''}${piece.replace(/^\\/, '')}`);
  }
  return path;
}

/** The line that {@link parseMapping} reads. */
export function formatMapping({ path, repository }: ImageMapping): string {
  return `${formatPath(path)}=${repository}`;
}

/** Keys with dots between them. */
export function formatPath(path: readonly string[]): string {
  return path.map(key => key.replace(/[\\.:=]/g, each => `\\${each}`)).join('.');
}
