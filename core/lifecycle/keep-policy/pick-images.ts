/** The newest images of one reference in one repository. Pure. */
import type { Built } from './built-images.ts';
import type { Place } from './places.ts';
import type { ImagesOfReference } from './policy-schema.ts';

/** Images that count as one. */
interface Unit {
  /** Some perhaps twice. */
  readonly places: Place[];
  /** The newest; undefined where one of them has no date, so that nobody can say what is newer. */
  time: number | undefined;
}

/**
 * Those that stay, of one repository. Images of one commit count as one, and so do builds that made the same image; together
 * they are as old as the newest of them. One without a date stays and is not counted. Images of the same time stay together.
 */
export function pickImages(images: readonly Built[], wanted: ImagesOfReference, now: number): Place[] {
  const units = unite(images);
  const times = units.flatMap(unit => unit.time ?? []).sort((one, other) => other - one);
  // What is not older than the last that counts is among the last.
  const oldest = wanted.last === -1 ? Number.NEGATIVE_INFINITY : (times[wanted.last - 1] ?? Number.NEGATIVE_INFINITY);
  return units.filter(unit => stays(unit, wanted, oldest, now)).flatMap(unit => unit.places);
}

function stays(
  { time }: Unit,
  { last, in: within, operator }: ImagesOfReference,
  oldest: number,
  now: number,
): boolean {
  const isLast = last !== 0 && (time === undefined || time >= oldest);
  if (within === undefined) return isLast;
  const isRecent = time === undefined || time >= now - within;
  return operator === 'Or' ? isLast || isRecent : isLast && isRecent;
}

/**
 * Joins what has a commit or a digest in common. An image without a record counts for itself: only while it goes does it
 * count at all, and what stays for being joined with it must not go when a doubt about it is what it stays for.
 */
function unite(images: readonly Built[]): Unit[] {
  const byName = new Map<string, Unit>();
  const units = new Set<Unit>();
  for (const { place, fact, isUnclear } of images) {
    const { digest } = place.image;
    const time = isUnclear ? undefined : fact.finishedAt;
    const commit = fact.commit === '' || place.records.length === 0 ? undefined : `commit ${fact.commit}`;
    const ofDigest = byName.get(digest);
    const ofCommit = commit === undefined ? undefined : byName.get(commit);
    const unit = ofDigest ?? ofCommit ?? { places: [], time };
    unit.places.push(place);
    unit.time = later(unit.time, time);
    units.add(unit);
    byName.set(digest, unit);
    if (commit !== undefined) byName.set(commit, unit);
    if (ofCommit && ofCommit !== unit) {
      for (const each of ofCommit.places) unit.places.push(each);
      unit.time = later(unit.time, ofCommit.time);
      units.delete(ofCommit);
      for (const [name, holder] of byName) if (holder === ofCommit) byName.set(name, unit);
    }
  }
  return [...units];
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
