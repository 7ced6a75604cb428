/** `references`: the images of the branches, tags and pull requests that people work on. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Built, listBuilt, type SourceBuilt } from './built-images.ts';
import { type Choice, chooseReferences } from './choose-references.ts';
import { pickImages } from './pick-images.ts';
import type { Home, Place, Places } from './places.ts';
import type { PlanFacts, SourceFacts } from './policy-facts.ts';
import type { ReferenceRule } from './policy-schema.ts';
import type { ReadyRules } from './ready-rules.ts';

/** Tells a reason for which an image stays. */
export type Tell = (digest: Digest, reason: string) => void;

/** Tells a reason for which one copy of an image stays. */
type TellPlace = (place: Place, reason: string) => void;

/** Tells every image that a rule about references keeps. Several rules for one reference keep what any of them keeps. */
export function holdReferences(rules: ReadyRules, facts: PlanFacts, places: Places, tell: TellPlace): void {
  if (rules.keep.references.length === 0) return;
  const told = groupBy(facts.sources, each => each.source);
  const found = listBuilt(rules, places, taggedCommits(facts));
  const stray = found.get('')?.all ?? [];
  for (const [source, built] of found) {
    // What was built from nobody knows what may be any reference's newest, and of one commit with older ones.
    const unclear = groupBy(source === '' ? built.unclear : [...built.unclear, ...stray], each => each.place.home);
    const ruling = { built, unclear, now: facts.now, told: told.get(source) ?? [] };
    for (const rule of rules.keep.references) holdByRule(rule, ruling, tell);
    for (const { place } of built.unclear) {
      tell(place, 'what its build was made from is not known, and it may be a reference that a rule keeps');
    }
  }
}

interface Ruling {
  readonly built: SourceBuilt;
  readonly unclear: ReadonlyMap<Home, readonly Built[]>;
  readonly told: readonly SourceFacts[];
  readonly now: number;
}

function taggedCommits({ sources }: PlanFacts): Set<string> {
  const tags = sources.flatMap(each => (each.tags.kind === 'whole' ? each.tags.items : []));
  return new Set(tags.flatMap(each => each.commit ?? []));
}

function holdByRule(rule: ReferenceRule, { built, unclear, told, now }: Ruling, tell: TellPlace): void {
  if (rule.images.last === 0 && (rule.images.operator === 'And' || rule.images.in === undefined)) return;
  const { everyImage, references, unread } = chooseReferences(rule, told, built, now);
  if (everyImage !== undefined) for (const { place } of built.all) tell(place, everyImage);
  for (const choice of references) {
    const reason = `it was built from ${choice.label}${nameSource(built)}: ${tellImages(rule)}${unread}`;
    for (const [home, images] of groupBy(imagesOf(choice, built), each => each.place.home)) {
      const others = (unclear.get(home) ?? []).map(each => ({ ...each, isUnclear: true as const }));
      const own = new Set(images.map(each => each.place.image.digest));
      for (const place of pickImages([...images, ...others], rule.images, now)) {
        if (own.has(place.image.digest)) tell(place, reason);
      }
    }
  }
}

/** A tag of git names a commit: what a branch's build made of that commit is the tag's as well. */
function imagesOf({ key, commit }: Choice, built: SourceBuilt): readonly Built[] {
  const own = built.byReference.get(key) ?? [];
  const same = commit === undefined ? [] : (built.byCommit.get(commit) ?? []);
  return same.length === 0 ? own : [...new Set([...own, ...same])];
}

function nameSource({ source }: SourceBuilt): string {
  return source === '' ? '' : ` of ${source}`;
}

function tellImages({ images: { last, in: within, operator } }: ReferenceRule): string {
  const newest = last === -1 ? 'all its images stay' : `its newest ${last} stay`;
  if (within === undefined) return newest;
  const recent = `those of the last ${within / 3_600_000} hours`;
  if (operator === 'Or') return `${newest}, and ${recent}`;
  return last === -1 ? `${recent} stay` : `${newest}, of ${recent}`;
}
