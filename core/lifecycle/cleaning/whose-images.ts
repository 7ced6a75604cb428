/** Whose each image is: of a build that is there or gone, as records say or its tags alone, or nobody's on record. Pure. */

import type { Digest } from '../../oci/digest.ts';
import { notConfigured } from '../facts/read-others.ts';
import type { KnownBuild } from '../keep-policy/known-builds.ts';
import { type Copies, namingTags, type Place, subjectsOf } from '../keep-policy/places.ts';
import type { TagFact } from '../keep-policy/policy-facts.ts';

/**
 * Whose an image is, from the weakest to the strongest: where several have a part in something, it is the strongest one's,
 * because it stays as long as that one's.
 */
export const owners = ['gone', 'taggedGone', 'chart', 'nobody', 'unasked', 'unknown', 'living'] as const;

/**
 * `gone`: every build whose record names it is gone. `taggedGone`: no record names it, and its tags are ids of builds
 * that are gone. `chart`: a Helm chart, whoever made it. `living`: a build that is there made it; `unknown`: a record names
 * its build, and of that nothing could be read; `unasked`: the project of that build is not in the configuration. Else it
 * is `nobody`'s.
 */
export type Owner = (typeof owners)[number];

/** Finds the owner of each place, by its copies: what one registry knows of an image is true in every other. */
export function findOwners(
  places: readonly Place[],
  buildsById: ReadonlyMap<string, readonly KnownBuild[]>,
): (place: Place) => Exclude<Owner, 'chart'> {
  const ranks = new Map<Copies, number>();
  const queue: Copies[] = [];
  const raise = (copies: Copies, rank: number): void => {
    if (rank <= (ranks.get(copies) ?? -1)) return;
    ranks.set(copies, rank);
    queue.push(copies);
  };
  for (const { copies, rank } of rankCopies(places, buildsById)) raise(copies, rank);
  const below = listBelow(places);
  for (const copies of queue) {
    for (const other of below.get(copies) ?? []) raise(other, ranks.get(copies) ?? -1);
  }
  return ({ copies }) => (owners[ranks.get(copies) ?? -1] ?? 'nobody') as Exclude<Owner, 'chart'>;
}

/** An image is nobody's only where no copy of it is anybody's: who copies one by hand does not take it from its build. */
function rankCopies(
  places: readonly Place[],
  buildsById: ReadonlyMap<string, readonly KnownBuild[]>,
): { readonly copies: Copies; readonly rank: number }[] {
  const told = places.map(place => ({ copies: place.copies, rank: rankOf(place, buildsById) }));
  const nobody = placeOf('nobody');
  const owned = new Set(told.flatMap(({ copies, rank }) => (rank >= 0 && rank !== nobody ? copies : [])));
  return told.filter(({ copies, rank }) => rank !== nobody || !owned.has(copies));
}

/** The place of an owner among {@link owners}; -1 where the image itself does not tell, and what it belongs to may. */
function rankOf({ image, records }: Place, buildsById: ReadonlyMap<string, readonly KnownBuild[]>): number {
  if (records.length > 0) return Math.max(...records.map(({ build }) => placeOf(ownerBy(build))));
  const tags = namingTags(image);
  if (tags.length === 0) return -1;
  const builds = tags.flatMap(tag => buildOfTag(tag, buildsById) ?? []);
  if (builds.length === 0) return placeOf('nobody');
  return Math.max(...builds.map(build => placeOf(build.isGone ? 'taggedGone' : ownerBy(build))));
}

function ownerBy(build: KnownBuild | undefined): Owner {
  if (!build) return 'unknown';
  const reasons = build.facts.flatMap(({ state }) => (state.kind === 'unknown' ? state.reason : []));
  if (reasons.length > 0) return reasons.every(reason => reason === notConfigured) ? 'unasked' : 'unknown';
  return build.isGone ? 'gone' : 'living';
}

function placeOf(owner: Owner): number {
  return owners.indexOf(owner);
}

/** The build whose id is in a tag that was set while it ran; of a tag with two numbers, or two such builds, none. */
function buildOfTag(
  { name, changedAt }: TagFact,
  buildsById: ReadonlyMap<string, readonly KnownBuild[]>,
): KnownBuild | undefined {
  const [number = '', ...others] = name.match(/\d+/g) ?? [];
  const [build, ...rivals] = buildsById.get(number) ?? [];
  if (!build || rivals.length > 0 || others.length > 0 || changedAt === undefined) return undefined;
  const isOfItsTime = build.facts.every(
    ({ startedAt = Infinity, finishedAt = Infinity }) => changedAt >= startedAt && changedAt <= finishedAt,
  );
  return isOfItsTime ? build : undefined;
}

/** What belongs to each image: its children, and what refers to it. */
function listBelow(places: readonly Place[]): Map<Copies, Copies[]> {
  const byDigest = new Map<Digest, Copies>(places.map(({ image, copies }) => [image.digest, copies]));
  const below = new Map<Copies, Copies[]>();
  const add = (owner: Copies | undefined, digest: Digest): void => {
    const copies = byDigest.get(digest);
    if (!owner || !copies) return;
    const all = below.get(owner);
    if (all) all.push(copies);
    else below.set(owner, [copies]);
  };
  for (const { image, copies } of places) {
    for (const child of image.children ?? []) add(copies, child);
    for (const referrer of image.referrers ?? []) add(copies, referrer);
    for (const subject of subjectsOf(image)) add(byDigest.get(subject), image.digest);
  }
  return below;
}
