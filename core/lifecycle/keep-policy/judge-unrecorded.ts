/** `withoutRecord`: images that were tagged with a build's id by something else than us, before we came. Pure. */

import type { Cause, CopyVerdict } from './judge-copy.ts';
import { isSameBuild, type KnownBuild, nameBuild, reasonOf } from './known-builds.ts';
import { namingTags, type Place } from './places.ts';
import type { ReleasingBuild, TagFact } from './policy-facts.ts';
import type { DeletePolicy } from './policy-schema.ts';
import type { ReadyRules } from './ready-rules.ts';

type WithoutRecord = Exclude<DeletePolicy['withoutRecord'], 'keep'>;

/** What one tag or one tombstone says: whether its build is gone beyond doubt, in words. */
interface Judged {
  readonly isGone: boolean;
  readonly reason: string;
}

/**
 * Judges a copy without a record by its tags, each of which must name a deleted build beyond doubt; where a release took
 * them off, by the builds on whose account. Undefined where nothing tells a build.
 */
export function judgeWithoutRecord(rules: ReadyRules, place: Place): CopyVerdict | undefined {
  const tags = namingTags(place.image);
  if (tags.length > 0) return judgeTags(rules, place, tags);
  const { released = [] } = place.image;
  if (released.length === 0) return undefined;
  const judged = released.map(build => judgeRelease(rules, place, build));
  return decide(judged, released.every(each => each.recorded) ? 'build' : 'withoutRecord');
}

/** The builds that made a copy without a record; none where it does not go for them. */
export function buildsWithoutRecord(rules: ReadyRules, place: Place): KnownBuild[] {
  if (judgeWithoutRecord(rules, place)?.kind !== 'goes') return [];
  const tags = namingTags(place.image);
  if (tags.length > 0) return tags.flatMap(({ name }) => rules.buildsById().get(buildNumberIn(name) ?? '') ?? []);
  const { released = [], takenTags = [] } = place.image;
  // The child of an index never had a tag: it is held with its index, and takes no place of its own.
  return takenTags.length > 0 ? released.flatMap(build => findReleasing(rules, build) ?? []) : [];
}

/** The one number in a tag, as it stands there; 1.47 is a version, and not build 47's. */
export function buildNumberIn(tag: string): string | undefined {
  const [number, ...others] = tag.match(/\d+/g) ?? [];
  return others.length > 0 ? undefined : number;
}

function judgeTags(rules: ReadyRules, place: Place, tags: readonly TagFact[]): CopyVerdict {
  if (rules.delete.withoutRecord === 'keep') return { kind: 'stays', reasons: ['no build record names it'] };
  if (rules.unreadOrganizations.length > 0) {
    return { kind: 'stays', reasons: rules.unreadOrganizations.map(each => `it may be of ${each}`) };
  }
  const judged = tags.map(tag => judgeTag(rules, place, tag));
  return decide(judged, 'withoutRecord');
}

function decide(judged: readonly Judged[], cause: Cause): CopyVerdict {
  const doubts = judged.filter(each => !each.isGone);
  return doubts.length > 0
    ? { kind: 'stays', reasons: doubts.map(each => each.reason) }
    : { kind: 'goes', cause, reasons: judged.map(each => each.reason) };
}

/** The configuration may have been narrowed since the tags came off, so what it says now counts. */
function judgeRelease(rules: ReadyRules, { home, image }: Place, build: ReleasingBuild): Judged {
  const { withoutRecord } = rules.delete;
  if (!build.recorded && withoutRecord === 'keep') return doubt('no build record names it');
  const what = `its tags came off with build ${nameBuild(build)}, which is`;
  const known = findReleasing(rules, build);
  if (!known?.isGone) return doubt(`${what} not known to be gone`);
  if (!rules.isGiven(build, home.repository)) return doubt(`${what} of a project that has no images there`);
  if (build.recorded || withoutRecord === 'keep') return { isGone: true, reason: reasonOf(known, rules.now) };
  if (!isListed(known, withoutRecord)) return doubt(`${what} of a pipeline that is not listed`);
  const [other] = (image.takenTags ?? []).filter(tag => !withoutRecord.tagsMatching.matches(tag)).sort();
  return other === undefined
    ? { isGone: true, reason: `${what} gone` }
    : doubt(`it has no build record, and its tag "${other}", which was taken off, is not that of a build`);
}

function doubt(reason: string): Judged {
  return { isGone: false, reason };
}

function findReleasing(rules: ReadyRules, build: ReleasingBuild): KnownBuild | undefined {
  return rules
    .buildsById()
    .get(String(build.id))
    ?.find(each => isSameBuild(each.name, build));
}

function isListed({ facts }: KnownBuild, { definitions }: WithoutRecord): boolean {
  return facts.every(each => definitions.includes(each.definition));
}

function judgeTag(rules: ReadyRules, place: Place, tag: TagFact): Judged {
  const stays = (what: string) => doubt(`it has no build record, and its tag "${tag.name}" ${what}`);
  const { withoutRecord } = rules.delete;
  if (withoutRecord === 'keep' || !withoutRecord.tagsMatching.matches(tag.name)) return stays('is not that of a build');
  const number = buildNumberIn(tag.name);
  if (number === undefined) return stays('holds not just one number');
  const [build, ...rivals] = rules.buildsById().get(number) ?? [];
  if (!build) return stays('names a build of which nothing is known');
  if (rivals.length > 0) return stays(`may be that of several builds with the id ${number}`);
  const why = doubtOf(rules, place, tag, build);
  return why === undefined
    ? { isGone: true, reason: `its tag "${tag.name}" is that of build ${nameBuild(build.name)}, which is deleted` }
    : stays(why);
}

function doubtOf(rules: ReadyRules, { home }: Place, tag: TagFact, build: KnownBuild): string | undefined {
  const { withoutRecord } = rules.delete;
  const name = nameBuild(build.name);
  if (!build.isGone || build.facts.some(each => each.state.kind !== 'deleted')) {
    return `is that of build ${name}, which is not known to be deleted`;
  }
  if (withoutRecord === 'keep' || !isListed(build, withoutRecord)) return 'is that of a pipeline that is not listed';
  if (!rules.isGiven(build.name, home.repository)) return `is that of a project that has no images there`;
  const prefix = rules.ownership.get(build.name.organization)?.buildTagPrefix;
  if (prefix === undefined || !tag.name.startsWith(prefix)) return 'does not begin with the prefix of its organization';
  const isOfItsTime = build.facts.every(({ startedAt, finishedAt }) => {
    const isKnown = startedAt !== undefined && finishedAt !== undefined && tag.changedAt !== undefined;
    return isKnown && tag.changedAt >= startedAt && tag.changedAt <= finishedAt;
  });
  return isOfItsTime ? undefined : `was not set while build ${name} ran`;
}
