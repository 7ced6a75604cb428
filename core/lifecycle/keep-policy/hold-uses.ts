/** `deployed` and `helmRevisions`: what runs, and what a Helm release could be rolled back to. Pure. */

import type { HelmReleaseFact, UseFact } from '../../kubernetes/usage.ts';
import type { Digest } from '../../oci/digest.ts';
import { everyTagOf, type Home, type Places } from './places.ts';
import type { PlanFacts, PlanRules } from './policy-facts.ts';
import { addReason } from './spread.ts';
import { readUsedImage } from './used-image.ts';

/** Where an image is used. */
export interface UsedAt {
  /** The first in order, as a sentence: `it is used by pod shop/web-1 (prod)`. */
  readonly first: string;
  /** How many there are. */
  readonly count: number;
}

/** What the uses hold. */
export interface UseHolds {
  readonly uses: ReadonlyMap<Digest, UsedAt>;
  /** References that could not be read, as they stand there. */
  readonly unparsed: readonly string[];
  /** Why everything stays, where one of those could mean any image. */
  readonly everything: readonly string[];
}

interface Search {
  readonly uses: Map<Digest, Set<string>>;
  readonly unparsed: Set<string>;
  readonly everything: Set<string>;
  /** Repositories by the last part of their path. */
  readonly byLastPart: ReadonlyMap<string, readonly Home[]>;
  /** The tags that are used, and where in words: looked for when all are known, so that each image is looked at once. */
  readonly byTag: Map<Home, Map<string, string[]>>;
  /** By the last part of a path, the uses that may mean any image of such a repository: gathered once for all of these. */
  readonly unclear: Map<string, Set<string>>;
}

/** Finds what every cluster uses among the images that are there. What could not be read whole is not its business. */
export function holdUses(rules: PlanRules, facts: PlanFacts, places: Places): UseHolds {
  const search = createSearch(places);
  const { deployed, helmRevisions } = rules.keep;
  for (const { name, label = name, uses, releases } of facts.usage) {
    if (deployed && uses.kind === 'whole') for (const use of uses.items) holdUse(search, use, label);
    if (helmRevisions === undefined || releases.kind === 'unread') continue;
    for (const release of releases.items) holdRelease(search, release, helmRevisions, label);
  }
  for (const [home, tags] of search.byTag) holdTags(search, home, tags);
  const { unparsed, everything } = search;
  return { uses: countUses(search), unparsed: [...unparsed].sort(), everything: [...everything].sort() };
}

function createSearch(places: Places): Search {
  const byLastPart = new Map<string, Home[]>();
  for (const home of places.homes) {
    const last = lastPartOf(home.repository);
    byLastPart.set(last, [...(byLastPart.get(last) ?? []), home]);
  }
  const [unparsed, everything] = [new Set<string>(), new Set<string>()];
  return { uses: new Map(), unparsed, everything, byLastPart, byTag: new Map(), unclear: new Map() };
}

function holdUse(search: Search, { image, imageId, where }: UseFact, cluster: string): void {
  const words = `it is used by ${where} (${cluster})`;
  hold(search, image, words);
  if (!imageId) return;
  // Of an id nobody can say which manifest it came from: it may be an earlier one of the same tag.
  if (readUsedImage(imageId).kind === 'id') holdUnclear(search, lastNameOf(image), image, words);
  else hold(search, imageId, words);
}

function lastNameOf(image: string): string | undefined {
  const read = readUsedImage(image);
  if (read.kind === 'tag') return lastPartOf(read.repository);
  if (read.kind === 'unclear') return read.lastPart;
  return read.kind === 'digest' ? '' : undefined;
}

/** The oldest revision in use, what is newer, and `count` older ones: failed ones are kept among them, and not counted. */
function holdRelease(search: Search, release: HelmReleaseFact, count: number, cluster: string): void {
  const { namespace, name, oldestInUse, revisions } = release;
  const most = count === -1 || oldestInUse === undefined ? Number.POSITIVE_INFINITY : count;
  const counted = new Set<number>();
  const ordered = [...revisions].sort((one, other) => other.revision - one.revision);
  for (const { revision, status, images } of ordered) {
    const isOlder = oldestInUse !== undefined && revision < oldestInUse;
    if (isOlder && counted.size >= most && !counted.has(revision)) break;
    const words = `it is in revision ${revision} of the Helm release ${namespace}/${name} (${cluster})`;
    for (const image of images) hold(search, image, words);
    if (isOlder && (status === 'superseded' || status === 'deployed')) counted.add(revision);
  }
}

function hold(search: Search, text: string, words: string): void {
  const used = readUsedImage(text);
  switch (used.kind) {
    case 'digest':
      holdDigest(search, used.digest, words);
      return;
    case 'tag':
      for (const home of search.byLastPart.get(lastPartOf(used.repository)) ?? []) {
        if (mayBe(home.repository, used.repository)) askTag(search, home, used.tag, words);
      }
      return;
    case 'id':
      holdUnclear(search, undefined, text, words);
      return;
    case 'unclear':
      holdUnclear(search, used.lastPart, text, words);
  }
}

function askTag({ byTag }: Search, home: Home, tag: string, words: string): void {
  const tags = byTag.get(home) ?? new Map<string, string[]>();
  byTag.set(home, tags);
  addReason(tags, tag, words);
}

function holdTags(search: Search, { places }: Home, tags: ReadonlyMap<string, readonly string[]>): void {
  for (const { image } of places) {
    // By a tag that a release took off, what runs still means the image that had it.
    for (const name of everyTagOf(image))
      for (const words of tags.get(name) ?? []) holdDigest(search, image.digest, words);
  }
}

/** Of what is in no registry too: an index may have it as a child. */
function holdDigest({ uses }: Search, digest: Digest, words: string): void {
  const known = uses.get(digest);
  if (known) known.add(words);
  else uses.set(digest, new Set([words]));
}

/** `lastPart` is empty where the digest was given beside it. */
function holdUnclear(search: Search, lastPart: string | undefined, text: string, words: string): void {
  if (lastPart === '') return;
  search.unparsed.add(text);
  if (lastPart === undefined) {
    search.everything.add(`"${text}" cannot be read and may mean any image: ${words}`);
    return;
  }
  const known = search.unclear.get(lastPart) ?? new Set();
  search.unclear.set(lastPart, known.add(`"${text}" cannot be read and may mean it: ${words}`));
}

function countUses({ uses, unclear, byLastPart }: Search): Map<Digest, UsedAt> {
  const found = new Map([...uses].map(([digest, words]) => [digest, usedAt(words)]));
  for (const [lastPart, words] of unclear) {
    const all = usedAt(words);
    const images = (byLastPart.get(lastPart) ?? []).flatMap(({ places }) => places.map(each => each.image.digest));
    for (const digest of new Set(images)) found.set(digest, join(all, found.get(digest)));
  }
  return found;
}

function usedAt(words: ReadonlySet<string>): UsedAt {
  return { first: [...words].sort()[0] ?? '', count: words.size };
}

function join(one: UsedAt, other: UsedAt | undefined): UsedAt {
  if (!other) return one;
  return { first: one.first < other.first ? one.first : other.first, count: one.count + other.count };
}

/** A mirror may put something in front of a repository's path, or take it away. */
function mayBe(repository: string, used: string): boolean {
  return repository === used || repository.endsWith(`/${used}`) || used.endsWith(`/${repository}`);
}

function lastPartOf(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
