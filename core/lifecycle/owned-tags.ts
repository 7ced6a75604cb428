/**
 * Which tags are a build's own, so that its end takes them off; every other tag holds the image. Pure.
 * What a tag contains is judged by the id and number that Azure DevOps states, never by the record's.
 */
import { matchesParts } from './keep-policy/name-pattern.ts';
import type { Rules } from './rules.ts';

/** Why a tag is a build's own. A number is not unique among pipelines, so it counts for less than an id. */
export type Ownership = 'buildTag' | 'id' | 'number';

/** A build as Azure DevOps states it; the number is unknown of a build that is absent. */
export interface StatedBuild {
  readonly id: number;
  readonly number?: string | undefined;
  /** When it was queued, in milliseconds: what is older is not its own. */
  readonly queuedAt?: number | undefined;
}

/** The tag that ties an image to its build. */
export function buildTagOf(build: StatedBuild, rules: Pick<Rules, 'buildTagPrefix'>): string {
  return `${rules.buildTagPrefix}${build.id}`;
}

/**
 * Whether `tag` is the build's own, and why; undefined for every other tag.
 * Apart from the build tag and the patterns of the configuration, only a tag that the build's records name can be.
 */
export function ownershipOf(
  tag: string,
  build: StatedBuild,
  rules: Pick<Rules, 'buildTagPrefix' | 'alsoOwn'>,
  recorded: readonly string[],
): Ownership | undefined {
  const buildTag = buildTagOf(build, rules);
  if (tag === buildTag) return 'buildTag';
  const pattern = rules.alsoOwn.find(each => matchesPattern(tag, each, build));
  if (pattern !== undefined) return pattern.includes('{buildId}') ? 'id' : 'number';
  if (!recorded.includes(tag)) return undefined;
  if (containsName(tag, buildTag)) return 'id';
  // A number without a digit, such as "latest", would own what it happens to be called.
  const number = build.number ?? '';
  return /\d/.test(number) && containsName(tag, number) ? 'number' : undefined;
}

/**
 * Whether `name` stands in `tag` as a whole: 47 is not in 471, and not in 1.47.0 either,
 * because a part of a version number is a version that somebody released.
 */
function containsName(tag: string, name: string): boolean {
  for (let at = tag.indexOf(name); at >= 0; at = tag.indexOf(name, at + 1)) {
    const before = tag.slice(0, at);
    const after = tag.slice(at + name.length);
    const standsAlone = !/[A-Za-z0-9]$/.test(before) && !/^[A-Za-z0-9]/.test(after);
    const isPartOfVersion = /\d\.$/.test(before) || /^\.\d/.test(after);
    if (standsAlone && !isPartOfVersion) return true;
  }
  return false;
}

function matchesPattern(tag: string, pattern: string, build: StatedBuild): boolean {
  if (pattern.includes('{buildNumber}') && !build.number) return false;
  if (!pattern.includes('{buildId}') && !pattern.includes('{buildNumber}')) return false;
  const filled = pattern.replaceAll('{buildId}', String(build.id)).replaceAll('{buildNumber}', build.number ?? '');
  return matchesGlob(tag, filled);
}

/** Whether `text` as a whole matches `glob`, in which `*` stands for any characters and nothing else is special. */
export function matchesGlob(text: string, glob: string): boolean {
  return matchesParts(text, glob.split('*'));
}
