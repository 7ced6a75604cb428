/**
 * One plan over all registries: which images stay and which go, each with its reasons. Pure: the same facts in any order
 * give the same plan, byte for byte. Keep beats delete, and what was not read whole keeps all that it could have kept.
 */
import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import { holdByTagAndAge, holdLiving } from './hold-images.ts';
import { holdReferences, type Tell } from './hold-references.ts';
import { holdUses, type UseHolds } from './hold-uses.ts';
import { knowBuilds } from './known-builds.ts';
import { gatherPlaces, type Places } from './places.ts';
import { planHome } from './plan-home.ts';
import type { PlanFacts, PlanRules } from './policy-facts.ts';
import { readyRules } from './ready-rules.ts';
import { spread } from './spread.ts';
import { listUnread } from './unread-sources.ts';

/** What is to become of one copy of an image. */
export interface PlannedImage {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly decision: 'keep' | 'delete';
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
  const used = holdUses(rules, facts, places);
  const unread = listUnread(rules, facts, builds, places);
  const held = new Map<Digest, Set<string>>();
  const tell = tellInto(held, places);
  holdLiving(facts, builds, tell);
  holdByTagAndAge(rules, facts, places, tell);
  holdReferences(rules, facts, places, tell);
  tellUses(used, places, tell);
  spread(held, childrenIn(places));
  const everything = [...unread, ...used.everything];
  const ready = readyRules(rules, facts, builds);
  const images = places.homes.flatMap(home => planHome(ready, home, held, everything));
  const plan = { images, unread, unparsed: used.unparsed };
  return { ...plan, hash: hashPlan(plan) };
}

/** The plan as text, line by line: a head, and a line of JSON for each image. */
export function* writePlan({ images, unread, unparsed }: Omit<KeepPlan, 'hash'>): Generator<string> {
  yield `${JSON.stringify({ plan: 1, images: images.length, unread, unparsed })}\n`;
  for (const { registry, repository, digest, decision, reasons } of images) {
    yield `${JSON.stringify({ registry, repository, digest, decision, reasons })}\n`;
  }
}

function hashPlan(plan: Omit<KeepPlan, 'hash'>): string {
  const hash = createHash('sha256');
  for (const line of writePlan(plan)) hash.update(line);
  return hash.digest('hex');
}

/** Reasons about what is not there are nobody's. */
function tellInto(held: Map<Digest, Set<string>>, { byDigest }: Places): Tell {
  return (digest, reason) => {
    const known = held.get(digest);
    if (known) known.add(reason);
    else if (byDigest.has(digest)) held.set(digest, new Set([reason]));
  };
}

/** One of its uses in words, and how many there are. A running child holds its index: that is what was pulled. */
function tellUses({ uses }: UseHolds, places: Places, tell: Tell): void {
  const indexes = indexesOf(places);
  for (const [digest, words] of uses) {
    const [first = ''] = [...words].sort();
    tell(digest, words.size === 1 ? first : `${first}, and in ${words.size - 1} more places`);
    const above = new Set(indexes.get(digest));
    for (const index of above) {
      tell(index, `its child ${digest} is in use`);
      // A set that grows while it is walked is walked to its end.
      for (const higher of indexes.get(index) ?? []) above.add(higher);
    }
  }
}

function indexesOf({ byDigest }: Places): Map<Digest, Set<Digest>> {
  const found = new Map<Digest, Set<Digest>>();
  for (const [digest, copies] of byDigest) {
    for (const child of copies.flatMap(each => each.image.children ?? [])) {
      const known = found.get(child);
      if (known) known.add(digest);
      else found.set(child, new Set([digest]));
    }
  }
  return found;
}

function childrenIn({ byDigest }: Places) {
  return (index: Digest) => {
    const children = new Set((byDigest.get(index) ?? []).flatMap(each => each.image.children ?? []));
    const reason = `the index ${index}, which stays, has it as a child`;
    return [...children].filter(child => byDigest.has(child)).map(to => ({ to, reason, isDownward: true }));
  };
}
