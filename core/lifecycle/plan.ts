/** Decisions about images, from facts alone: no input, no output, no clock. Keep is the answer wherever a fact is missing. */
import type { AcrTag } from '../acr/listings.ts';
import type { Digest } from '../oci/digest.ts';
import { buildTagOf, matchesGlob, ownershipOf, type StatedBuild } from './owned-tags.ts';
import type { ProjectRules, Rules } from './rules.ts';

/** An image to look at, as the records of one build name it. */
export interface NamedImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject?: Digest | undefined;
  readonly tags: readonly string[];
}

/** What is known of a recorded image at release. */
export interface ImageFacts {
  readonly image: NamedImage;
  /** Whether the manifest is there at all. */
  readonly exists: boolean;
  readonly manifestLocked: boolean;
  /** Every tag on the digest. */
  readonly tags: readonly AcrTag[];
  /** Those of them that name what is in a chart: they hold nothing, and stay as long as the chart does. */
  readonly contentTags: readonly string[];
  /** What the build tag of this build is on in this repository; undefined where there is no such tag. */
  readonly buildTagOn: Digest | undefined;
}

/** What to do with one image at release. */
export type ReleaseDecision =
  /** Take these tags off; the digest is collected later, unless something holds it then. */
  | { readonly kind: 'release'; readonly untag: readonly string[]; readonly reason: string }
  /** Do nothing. `claimed`: it is the build's and is looked at again; else this build's account of it is closed. */
  | { readonly kind: 'keep'; readonly claimed: boolean; readonly reason: string };

/** The clocks of Azure DevOps and the registry may disagree by so much. */
const clockDifferenceMs = 60 * 60_000;

/** Decides on one image of a build that is gone. */
export function planRelease(
  facts: ImageFacts,
  build: StatedBuild,
  rules: Rules,
  project: ProjectRules,
): ReleaseDecision {
  const { image } = facts;
  const buildTag = buildTagOf(build, rules);
  if (isReserved(image.repository)) return unclaimed('records and tombstones are no images');
  if (!project.repositories.some(glob => matchesGlob(image.repository, glob))) {
    return unclaimed('the configuration gives this project no images in that repository');
  }
  if (!facts.exists) return unclaimed('it is not in the registry any more');
  const untied = untiedBecause(facts, build, buildTag);
  if (untied !== undefined) return unclaimed(untied);
  const shared = facts.tags.filter(tag => facts.contentTags.includes(tag.name));
  const named = facts.tags.filter(tag => !shared.includes(tag));
  const owned = named.flatMap(tag => {
    const ownership = ownershipOf(tag.name, build, rules, image.tags);
    return ownership ? [{ ...tag, ownership }] : [];
  });
  const others = named.filter(tag => !owned.some(own => own.name === tag.name));
  if (facts.manifestLocked) return claimed('it is locked');
  const locked = [...owned, ...shared].find(tag => tag.locked);
  if (locked) return claimed(`its tag "${locked.name}" is locked`);
  // A build number may be another pipeline's as well: where another tag holds the image, the number stays with it.
  const untag = owned.filter(tag => others.length === 0 || tag.ownership !== 'number').map(tag => tag.name);
  return { kind: 'release', untag, reason: releaseReason(facts, others, buildTag) };
}

/** Why nothing ties the image to the build, where nothing does. */
function untiedBecause(
  { image, tags, contentTags, buildTagOn }: ImageFacts,
  build: StatedBuild,
  buildTag: string,
): string | undefined {
  if (buildTagOn === undefined)
    return `the build tag "${buildTag}" is not in that repository, so nothing ties it to the build`;
  const stranger = tags.find(tag => !contentTags.includes(tag.name));
  if (buildTagOn !== image.digest && stranger) {
    return `the build tag "${buildTag}" is not on it, but "${stranger.name}" is: nothing ties it to the build`;
  }
  const setAt = tags.find(tag => tag.name === buildTag)?.changedAt;
  // Somebody's "2026" or "20" is older than the build of that number.
  const isOlder = setAt !== undefined && build.queuedAt !== undefined && setAt < build.queuedAt - clockDifferenceMs;
  return isOlder ? `the tag "${buildTag}" is older than the build` : undefined;
}

function releaseReason(facts: ImageFacts, others: readonly AcrTag[], buildTag: string): string {
  const rest =
    others.length > 0
      ? `; the image stays, held by ${others
          .slice(0, 3)
          .map(tag => `"${tag.name}"`)
          .join(', ')}`
      : '';
  return facts.buildTagOn === facts.image.digest
    ? `the build is gone${rest}`
    : `the build tag "${buildTag}" had moved off it${rest}`;
}

function isReserved(repository: string): boolean {
  return repository.startsWith('image-lifecycle/');
}

function claimed(reason: string): ReleaseDecision {
  return { kind: 'keep', claimed: true, reason };
}

function unclaimed(reason: string): ReleaseDecision {
  return { kind: 'keep', claimed: false, reason };
}
