/**
 * One plan over all registries: which images stay and which go, each with its reasons. Pure: the same facts in any order
 * give the same plan, byte for byte. Keep beats delete, and what was not read whole keeps all that it could have kept.
 */
import { createHash } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { holdByTagAndAge, holdLiving } from './hold-images.ts';
import { holdReferences, type Tell } from './hold-references.ts';
import { holdUses, type UseHolds } from './hold-uses.ts';
import type { Cause } from './judge-copy.ts';
import { knowBuilds } from './known-builds.ts';
import { gatherPlaces, keepEverywhere, keepHere, type Places } from './places.ts';
import { planHome } from './plan-home.ts';
import type { PlanFacts, PlanRules } from './policy-facts.ts';
import { readyRules } from './ready-rules.ts';
import { spread, type Tie } from './spread.ts';
import { listUnread } from './unread-sources.ts';

/** What is to become of one copy of an image. */
export interface PlannedImage {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly decision: 'keep' | 'delete';
  /** Of a deletion, what lets it go. */
  readonly cause?: Cause;
  /** Sentences without a full stop, at least one, in order. */
  readonly reasons: readonly string[];
}

/** The whole plan. */
export interface KeepPlan {
  /** Every image that was read, by registry, repository and digest. */
  readonly images: readonly PlannedImage[];
  /** Sources that were not read whole, for which everything stays. */
  readonly unread: readonly string[];
  /** References of what runs that could not be read. */
  readonly unparsed: readonly string[];
  /** SHA-256 of {@link writePlan}, in hexadecimal. */
  readonly hash: string;
}

/** Plans. Never fails: what is missing, doubled or contradicts itself is a reason to keep. */
export function planImages(rules: PlanRules, facts: PlanFacts): KeepPlan {
  const builds = knowBuilds(facts);
  const places = gatherPlaces(facts, builds);
  const ready = readyRules(rules, facts, builds);
  const used = holdUses(rules, facts, places);
  const unread = listUnread(rules, facts, builds, places);
  const tell: Tell = (digest, reason) => keepEverywhere(places, digest, reason);
  holdLiving(facts, builds, tell);
  holdByTagAndAge(rules, facts, places, tell);
  // Only while it goes is a copy without a record taken for a reference's, and so it holds no copy but itself.
  holdReferences(ready, facts, places, (place, reason) =>
    place.records.length > 0 ? tell(place.image.digest, reason) : keepHere(place, reason),
  );
  tellUses(used, places, tell);
  spreadToChildren(places, tell);
  const everything = [...unread, ...used.everything];
  const images = places.homes.flatMap(home => planHome(ready, home, everything));
  const plan = { images, unread, unparsed: used.unparsed };
  return { ...plan, hash: hashPlan(plan) };
}

/** The plan as text: a line of JSON as its head, and one for each repository with its images. */
export function* writePlan({ images, unread, unparsed }: Omit<KeepPlan, 'hash'>): Generator<string> {
  yield `${JSON.stringify({ plan: 1, images: images.length, unread, unparsed })}\n`;
  for (let start = 0, end = 0; start < images.length; start = end) {
    const { registry, repository } = images[start] as PlannedImage;
    while (images[end]?.repository === repository && images[end]?.registry === registry) end += 1;
    const own = images
      .slice(start, end)
      .map(({ digest, decision, cause, reasons }) => ({ digest, decision, cause, reasons }));
    yield `${JSON.stringify({ registry, repository, images: own })}\n`;
  }
}

function hashPlan(plan: Omit<KeepPlan, 'hash'>): string {
  const hash = createHash('sha256');
  for (const line of writePlan(plan)) hash.update(line);
  return hash.digest('hex');
}

/** One of its uses in words, and how many there are. */
function tellUses({ uses }: UseHolds, places: Places, tell: Tell): void {
  for (const [digest, { first, count }] of uses) {
    tell(digest, count === 1 ? first : `${first}, and in ${count - 1} more places`);
  }
  tellIndexes(new Set(uses.keys()), places, tell);
}

/** A running child holds its index, which is what was pulled, and that the index it is itself a child of. */
function tellIndexes(used: Set<Digest>, { homes }: Places, tell: Tell): void {
  const indexes = homes.flatMap(home => home.places.filter(each => each.image.children?.length));
  for (let size = -1; size !== used.size; ) {
    size = used.size;
    for (const { image } of indexes) if (image.children?.some(child => used.has(child))) used.add(image.digest);
  }
  for (const { image } of indexes) {
    for (const child of image.children ?? []) if (used.has(child)) tell(image.digest, `its child ${child} is in use`);
  }
}

/** An index holds its children, in whatever registry they are. */
function spreadToChildren({ homes, byDigest }: Places, tell: Tell): void {
  const isKept = (digest: Digest): boolean => byDigest.get(digest)?.keptBy !== undefined;
  const indexes = homes.flatMap(home => home.places.filter(each => each.copies.keptBy && each.image.children?.length));
  const seeds = [...new Set(indexes.map(each => each.image.digest))];
  spread({ has: isKept, add: tell }, seeds, function* (index): Generator<Tie<Digest>> {
    const reason = `the index ${index}, which stays, has it as a child`;
    for (let place = byDigest.get(index)?.first; place; place = place.next) {
      for (const to of place.image.children ?? []) if (byDigest.has(to)) yield { to, reason, isDownward: true };
    }
  });
}
