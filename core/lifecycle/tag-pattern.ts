/** Tags made of what a record says of its build, for a promotion: `$(…)` would be of the run that deploys. Pure. */
import { inputError } from '../base/errors.ts';
import { isTag } from '../oci/reference.ts';
import type { BuildIdentity } from './build-record.ts';

const placeholders: Readonly<Record<string, (build: BuildIdentity) => string>> = {
  buildId: build => String(build.id),
  buildNumber: build => build.number,
  branch: build => build.branch.replace(/^refs\/(?:heads|tags)\//, '').replace(/^refs\//, ''),
  commit: build => build.commit,
};

/** Throws `INPUT_INVALID` for a pattern with a placeholder that is not known, or that no build could fill. `input` names it. */
export function checkTagPattern(pattern: string, input: string): void {
  const unknown = [...pattern.matchAll(/\{([^}]*)\}/g)].find(([, name = '']) => !Object.hasOwn(placeholders, name));
  if (unknown) {
    const known = Object.keys(placeholders).map(name => `{${name}}`);
    throw inputError(`The input ${input}: "${pattern}" holds ${unknown[0]}; what is known is ${known.join(', ')}.`);
  }
  const filled = pattern.replace(/\{[^}]*\}/g, 'x');
  if (!isTag(filled)) {
    throw inputError(
      `The input ${input}: "${pattern}" makes no tag: 1 to 128 letters, digits, ".", "_" and "-"; the first is not "." or "-".`,
    );
  }
}

/**
 * Fills a pattern from the record. What a tag may not hold, such as the `/` of a branch, becomes `-`.
 * Throws `INPUT_INVALID` where the record does not say what is wanted, or the tag would be too long.
 */
export function fillTagPattern(pattern: string, build: BuildIdentity): string {
  const tag = pattern.replace(/\{([^}]*)\}/g, (whole, name: string) => {
    const value = placeholders[name]?.(build) ?? '';
    if (value) return value.replace(/[^A-Za-z0-9._-]+/g, '-');
    throw inputError(`The tag "${pattern}" wants ${whole}, which the record of build ${build.id} does not say.`);
  });
  const trimmed = tag.replace(/^[.-]+/, '');
  if (isTag(trimmed)) return trimmed;
  throw inputError(
    `The tag "${pattern}" would be "${trimmed.slice(0, 200)}" for build ${build.id}, which is not a tag.`,
  );
}
