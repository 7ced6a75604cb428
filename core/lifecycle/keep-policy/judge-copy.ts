/**
 * Why one copy of an image may go, or stays although no keep rule wants it. What lies on one copy (a lock, somebody's tag,
 * the registry's rule) holds that copy alone. Whether its builds are gone was judged before: one that lives holds it. Pure.
 */
import { buildTagOf, ownershipOf, type StatedBuild } from '../owned-tags.ts';
import { judgeWithoutRecord } from './judge-unrecorded.ts';
import { isSameBuild, type KnownBuild, nameBuild, reasonOf } from './known-builds.ts';
import { namingTags, type Place, type RecordEntry } from './places.ts';
import type { TagFact } from './policy-facts.ts';
import type { ReadyRules } from './ready-rules.ts';

/**
 * What lets an image go: its builds are gone, it has no tag (`untagged`), its tags name builds that are deleted
 * (`withoutRecord`), or the index or subject goes that it belongs to.
 */
export type Cause = 'build' | 'untagged' | 'withoutRecord' | 'belongs';

/** A copy by itself, without what it is tied to. */
export type CopyVerdict =
  /** It may go. */
  | { readonly kind: 'goes'; readonly cause: Cause; readonly reasons: readonly string[] }
  /** It stays, whatever becomes of what it is tied to. */
  | { readonly kind: 'stays'; readonly reasons: readonly string[] }
  /** Nothing of its own lets it go: it goes with the index or the subject that it belongs to, and else stays. */
  | { readonly kind: 'follows'; readonly reasons: readonly string[] };

const heldElsewhere: CopyVerdict = { kind: 'follows', reasons: [] };

/** The clocks of Azure DevOps and the registry may disagree by so much. */
const clockDifferenceMs = 60 * 60_000;

/** Judges one copy; `isHeld` says that a rule, or something unread, holds it whatever would let it go. */
export function judgeCopy(rules: ReadyRules, place: Place, isHeld: boolean): CopyVerdict {
  const stays: string[] = [];
  addRule(rules, place, stays);
  addLocks(place, stays);
  const tags = namingTags(place.image);
  const unrecorded = place.records.length === 0 ? judgeWithoutRecord(rules, place) : undefined;
  if (unrecorded?.kind === 'stays') stays.push(...unrecorded.reasons);
  if (place.records.length > 0) {
    for (const tag of tags) {
      const isOwn = place.records.some(entry => isOwned(rules, tag, entry));
      if (!isOwn) stays.push(`the tag "${tag.name}" is on it, which is not its build's own`);
    }
  }
  if (stays.length > 0) return { kind: 'stays', reasons: stays };
  if (isHeld) return heldElsewhere;
  const verdict = unrecorded ?? judgeCauses(rules, place, tags);
  const gaps = hasGaps(place) ? gapsOf(place) : noGaps;
  if (gaps.length === 0) return verdict;
  // Of what nothing lets go, nobody need ask what it refers to.
  return { kind: 'stays', reasons: verdict.kind === 'goes' ? gaps : verdict.reasons };
}

/** What lets a copy go of which every tag is its builds' own. */
function judgeCauses(rules: ReadyRules, place: Place, tags: readonly TagFact[]): CopyVerdict {
  const tied = place.records.flatMap(entry => goneBecause(rules, place, entry, tags) ?? []);
  const causes = [...tied, ...untaggedBecause(rules, place)];
  return causes.length > 0
    ? { kind: 'goes', cause: tied.length > 0 ? 'build' : 'untagged', reasons: causes }
    : { kind: 'follows', reasons: [nothingBecause(rules, place)] };
}

function addRule(rules: ReadyRules, { home, records }: Place, stays: string[]): void {
  const { registry, repository } = home;
  const rule = rules.registries.get(registry);
  if (repository.startsWith('image-lifecycle/')) stays.push('records and tombstones are no images');
  if (!rule) stays.push(`the configuration does not name the registry ${registry}`);
  if (rule?.onBuildDeleted === 'keep') stays.push(`the configuration keeps everything in ${registry}`);
  for (const { record } of records) {
    const { build } = record;
    if (record.onBuildDeleted === 'keep') {
      stays.push(`a record of build ${nameBuild(build)} says that its images stay`);
    }
    if (record.promoted && rule?.onBuildDeleted === undefined) {
      stays.push(
        `build ${nameBuild(build)} was promoted to ${registry}, which has no onBuildDeleted, so copies stay there`,
      );
    }
    if (!rules.isGiven(build, repository)) {
      stays.push(`the configuration gives project ${build.project} no images in ${repository}`);
    }
  }
}

function addLocks({ image }: Place, stays: string[]): void {
  if (image.locked) stays.push('it is locked');
  for (const tag of image.tags) if (tag.locked) stays.push(`its tag "${tag.name}" is locked`);
}

const noGaps: readonly string[] = [];

function hasGaps({ home, image }: Place): boolean {
  return image.subject === undefined || (image.referrers === undefined && !home.hasAllSubjects);
}

/** What could hold it and was not read. */
function gapsOf({ home, image }: Place): string[] {
  return [
    ...(image.subject === undefined ? ['what it refers to was not read'] : []),
    ...(image.referrers === undefined && !home.hasAllSubjects ? ['what refers to it was not read'] : []),
  ];
}

/** Somebody's tag "2026" is older than the build of that id, and so holds the image as every other tag does. */
function isOwned(rules: ReadyRules, tag: TagFact, { build, record, tags }: RecordEntry): boolean {
  const ownership = rules.ownership.get(record.build.organization);
  if (!ownership || !build?.facts.every(fact => isOfItsTime(tag, fact))) return false;
  return ownershipOf(tag.name, stated(record.build.id, build), ownership, tags) !== undefined;
}

/** By what all answers about it agree on. */
function stated(id: number, build: KnownBuild | undefined): StatedBuild {
  const [first, ...others] = build?.facts ?? [];
  return { id, number: others.every(each => each.number === first?.number) ? first?.number : undefined };
}

/** Why the end of a build lets the copy go; undefined where nothing ties it to the build, whatever its record says. */
function goneBecause(
  rules: ReadyRules,
  { home, image }: Place,
  { record, build }: RecordEntry,
  tags: readonly TagFact[],
): string | undefined {
  const ownership = rules.ownership.get(record.build.organization);
  if (!ownership || !build) return undefined;
  if (image.released?.some(each => isSameBuild(each, record.build))) return reasonOf(build, rules.now);
  const name = buildTagOf(record.build, ownership);
  if (tags.some(tag => tag.name === name)) return reasonOf(build, rules.now);
  // An earlier attempt of a job: the build tag moved on, and nobody else's is on it.
  return tags.length === 0 && home.tagNames().has(name)
    ? `${reasonOf(build, rules.now)}, and its tag moved on`
    : undefined;
}

/** Of an absent build nobody can say when it was queued, so there is no date to hold the tag against; nor of one unread. */
function isOfItsTime({ changedAt }: TagFact, { state, queuedAt }: KnownBuild['facts'][number]): boolean {
  if (state.kind === 'absent' || state.kind === 'unknown') return true;
  return changedAt !== undefined && queuedAt !== undefined && changedAt >= queuedAt - clockDifferenceMs;
}

function untaggedBecause({ untaggedBefore, othersUnread }: ReadyRules, { home, image }: Place): string[] {
  if (untaggedBefore === undefined || image.tags.length > 0 || image.pushedAt === undefined) return [];
  if (image.pushedAt > untaggedBefore || othersUnread.has(home.registry)) return [];
  return [`it has no tag, and was last changed at ${new Date(image.pushedAt).toISOString()}`];
}

function nothingBecause(rules: ReadyRules, { home, records }: Place): string {
  const [first] = records.map(({ record }) => nameBuild(record.build)).sort();
  if (first !== undefined) return `the tag of its build ${first} does not tie it to the build`;
  if (rules.untaggedBefore !== undefined && rules.othersUnread.has(home.registry)) {
    return 'no record that was read names it, and those of projects outside the configuration were not read';
  }
  return rules.untaggedBefore === undefined
    ? 'no build record names it, and delete.untagged is not set'
    : 'no build record names it, and it is not old enough';
}
