/** `withoutRecord`: images that were tagged with a build's id by something else than us, before we came. Pure. */

import type { CopyVerdict } from './judge-copy.ts';
import { isSameBuild, type KnownBuild, nameBuild } from './known-builds.ts';
import type { Place } from './places.ts';
import type { BuildName, TagFact } from './policy-facts.ts';
import type { ReadyRules } from './ready-rules.ts';

/** Judges a copy without a record by its tags: each must name a build beyond doubt, and each of these must be deleted. */
export function judgeUnrecorded(rules: ReadyRules, place: Place, tags: readonly TagFact[]): CopyVerdict {
  const { withoutRecord } = rules.delete;
  if (withoutRecord === 'keep') return { kind: 'stays', reasons: ['no build record names it'] };
  if (rules.unreadOrganizations.length > 0) {
    return { kind: 'stays', reasons: rules.unreadOrganizations.map(each => `it may be of ${each}`) };
  }
  const judged = tags.map(tag => judgeTag(rules, place, tag));
  const doubts = judged.filter(each => !each.isGone);
  return doubts.length > 0
    ? { kind: 'stays', reasons: doubts.map(each => each.reason) }
    : { kind: 'goes', cause: 'withoutRecord', reasons: judged.map(each => each.reason) };
}

/** The one number in a tag, as it stands there; 1.47 is a version, and not build 47's. */
export function buildNumberIn(tag: string): string | undefined {
  const [number, ...others] = tag.match(/\d+/g) ?? [];
  return others.length > 0 ? undefined : number;
}

/** Judges a copy without a record whose tags came off on account of these builds: each must be gone as ever. */
export function judgeReleased(rules: ReadyRules, released: readonly BuildName[]): CopyVerdict {
  if (rules.delete.withoutRecord === 'keep') return { kind: 'stays', reasons: ['no build record names it'] };
  const judged = released.map(name => {
    const same = (rules.buildsById().get(String(name.id)) ?? []).filter(each => isSameBuild(each.name, name));
    const isGone = same.length > 0 && same.every(each => each.isGone);
    const what = `its tags came off with build ${nameBuild(name)}, which is`;
    return { isGone, reason: `${what} ${isGone ? 'gone' : 'not known to be gone'}` };
  });
  const doubts = judged.filter(each => !each.isGone);
  return doubts.length > 0
    ? { kind: 'stays', reasons: doubts.map(each => each.reason) }
    : { kind: 'goes', cause: 'withoutRecord', reasons: judged.map(each => each.reason) };
}

function judgeTag(
  rules: ReadyRules,
  place: Place,
  tag: TagFact,
): { readonly isGone: boolean; readonly reason: string } {
  const stays = (why: string) => ({
    isGone: false,
    reason: `it has no build record, and its tag "${tag.name}" ${why}`,
  });
  const { withoutRecord } = rules.delete;
  if (withoutRecord === 'keep' || !withoutRecord.tagsMatching.matches(tag.name)) return stays('is not that of a build');
  const number = buildNumberIn(tag.name);
  if (number === undefined) return stays('holds not just one number');
  const [build, ...rivals] = rules.buildsById().get(number) ?? [];
  if (!build) return stays('names a build of which nothing is known');
  if (rivals.length > 0) return stays(`may be that of several builds with the id ${number}`);
  const doubt = doubtOf(rules, place, tag, build);
  return doubt === undefined
    ? { isGone: true, reason: `its tag "${tag.name}" is that of build ${nameBuild(build.name)}, which is deleted` }
    : stays(doubt);
}

function doubtOf(rules: ReadyRules, { home }: Place, tag: TagFact, build: KnownBuild): string | undefined {
  const { withoutRecord } = rules.delete;
  const name = nameBuild(build.name);
  if (!build.isGone || build.facts.some(each => each.state.kind !== 'deleted')) {
    return `is that of build ${name}, which is not known to be deleted`;
  }
  const isListed = (definition: number) => withoutRecord !== 'keep' && withoutRecord.definitions.includes(definition);
  if (!build.facts.every(each => isListed(each.definition))) return `is that of a pipeline that is not listed`;
  if (!rules.isGiven(build.name, home.repository)) return `is that of a project that has no images there`;
  const prefix = rules.ownership.get(build.name.organization)?.buildTagPrefix;
  if (prefix === undefined || !tag.name.startsWith(prefix)) return 'does not begin with the prefix of its organization';
  const isOfItsTime = build.facts.every(({ startedAt, finishedAt }) => {
    const isKnown = startedAt !== undefined && finishedAt !== undefined && tag.changedAt !== undefined;
    return isKnown && tag.changedAt >= startedAt && tag.changedAt <= finishedAt;
  });
  return isOfItsTime ? undefined : `was not set while build ${name} ran`;
}
