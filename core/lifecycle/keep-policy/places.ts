/** The images of all registries in one order, each with the records that name it. What was told twice is joined. Pure. */
import { groupBy } from '../../base/group-by.ts';
import type { Digest } from '../../oci/digest.ts';
import { subjectOfTag } from '../../oci/referrers.ts';
import { findBuild, isSameBuild, type KnownBuild, type KnownBuilds } from './known-builds.ts';
import type { ImageFact, PlanFacts, RecordFact, ReleasingBuild, TagFact } from './policy-facts.ts';

/** One record's say of one image. */
export interface RecordEntry {
  readonly record: RecordFact;
  readonly tags: readonly string[];
  /** Undefined where nothing was told of the build. */
  readonly build: KnownBuild | undefined;
}

/** One image in one repository. */
export interface Place {
  readonly home: Home;
  readonly image: ImageFact;
  records: readonly RecordEntry[];
  /** What all copies of the image have in common. */
  readonly copies: Copies;
  /** The reasons that hold this copy alone, as {@link Copies.keptBy} those that hold all. */
  keptBy: string[] | undefined;
  /** Another copy. */
  readonly next: Place | undefined;
}

/** All copies of one image. */
export interface Copies {
  /** One of them; the others hang on it. */
  first: Place | undefined;
  /** The reasons that hold the image wherever it is, some perhaps twice; undefined where there are none. */
  keptBy: string[] | undefined;
}

/** One repository of one registry. */
export interface Home {
  readonly registry: string;
  readonly repository: string;
  /** In the order of their digests. */
  readonly places: readonly Place[];
  /** Whether it was read of every image what it refers to. */
  readonly hasAllSubjects: boolean;
  /** The names of all tags; reckoned when they are first asked for. */
  tagNames(): ReadonlySet<string>;
}

/** Everything that is there. */
export interface Places {
  /** In the order of registry and repository; the places in each, of digest. */
  readonly homes: readonly Home[];
  readonly byDigest: ReadonlyMap<Digest, Copies>;
}

const noRecords: readonly RecordEntry[] = [];
const noNames: readonly string[] = [];

/** Joins what was read of the registries. What is unread is left out; unread-sources.ts tells of it. */
export function gatherPlaces(facts: PlanFacts, builds: KnownBuilds): Places {
  const homes: Home[] = [];
  const byDigest = new Map<Digest, Copies>();
  const registries = inOrder(groupBy(facts.registries, each => each.name));
  for (const [registry, said] of registries) {
    const repositories = said.flatMap(each => (each.repositories.kind === 'whole' ? each.repositories.items : []));
    for (const [repository, parts] of inOrder(groupBy(repositories, each => each.name))) {
      const images = parts.flatMap(each => (each.images.kind === 'whole' ? each.images.items : []));
      homes.push(gatherHome(registry, repository, images, byDigest));
    }
  }
  const places = { homes, byDigest };
  for (const [registry, said] of registries) {
    const records = said.flatMap(each => (each.records.kind === 'whole' ? each.records.items : []));
    for (const record of records) attach(places, registry, record, builds);
  }
  return places;
}

/** Adds a reason that holds an image wherever it is. One about what is nowhere is nobody's. */
export function keepEverywhere({ byDigest }: Places, digest: Digest, reason: string): void {
  const copies = byDigest.get(digest);
  if (copies) keepHere(copies, reason);
}

/** Adds a reason that holds one copy. */
export function keepHere(held: Pick<Place, 'keptBy'>, reason: string): void {
  if (held.keptBy) held.keptBy.push(reason);
  else held.keptBy = [reason];
}

/** What an image refers to, as far as that is known: its subject, and those that its tags name. */
export function subjectsOf({ digest, subject, tags }: ImageFact): Digest[] {
  const found = subject === undefined || subject === 'none' ? [] : [subject];
  for (const { name } of tags) {
    const named = subjectOfTag(name, digest);
    if (named !== undefined) found.push(named);
  }
  return found;
}

/** The names of its tags, and of those that a release took off it. */
export function everyTagOf({ tags, takenTags }: ImageFact): readonly string[] {
  if (tags.length === 0 && !takenTags?.length) return noNames;
  const names = tags.map(tag => tag.name);
  return takenTags?.length ? [...new Set([...names, ...takenTags])] : names;
}

/** Its tags but those of signatures and those that name a chart's content. */
export function namingTags({ digest, tags }: ImageFact): TagFact[] {
  return tags.filter(tag => tag.content !== true && subjectOfTag(tag.name, digest) === undefined);
}

function inOrder<T>(groups: ReadonlyMap<string, T>): [string, T][] {
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
}

function gatherHome(
  registry: string,
  repository: string,
  images: readonly ImageFact[],
  byDigest: Map<Digest, Copies>,
): Home {
  const joined: ImageFact[] = [];
  for (const image of [...images].sort((one, other) => (one.digest < other.digest ? -1 : 1))) {
    const last = joined.at(-1);
    if (last?.digest === image.digest) joined[joined.length - 1] = join(last, image);
    else joined.push(image);
  }
  let names: ReadonlySet<string> | undefined;
  const places: Place[] = [];
  const hasAllSubjects = joined.every(each => each.subject !== undefined);
  const home: Home = { registry, repository, places, hasAllSubjects, tagNames: () => (names ??= listNames(places)) };
  for (const image of joined) {
    let copies = byDigest.get(image.digest);
    if (!copies) byDigest.set(image.digest, (copies = { first: undefined, keptBy: undefined }));
    copies.first = { home, image, records: noRecords, copies, keptBy: undefined, next: copies.first };
    places.push(copies.first);
  }
  return home;
}

function listNames(places: readonly Place[]): Set<string> {
  const names = new Set<string>();
  for (const { image } of places) for (const { name } of image.tags) names.add(name);
  return names;
}

function attach({ byDigest }: Places, registry: string, record: RecordFact, builds: KnownBuilds): void {
  const build = findBuild(builds, record.build);
  for (const { repository, digest, tags } of record.images) {
    for (let place = byDigest.get(digest)?.first; place; place = place.next) {
      if (place.home.repository !== repository || place.home.registry !== registry) continue;
      const entry = { record, tags, build };
      place.records = place.records.length === 0 ? [entry] : [...place.records, entry];
    }
  }
}

/** Two lists that overlap, or one page twice: whichever says more that holds, is right. */
function join(one: ImageFact, other: ImageFact): ImageFact {
  const children =
    one.children && other.children ? [...new Set([...one.children, ...other.children])].sort() : undefined;
  return {
    digest: one.digest,
    mediaType: one.mediaType > other.mediaType ? one.mediaType : other.mediaType,
    size: Math.max(one.size, other.size),
    locked: one.locked || other.locked,
    pushedAt: latest(one.pushedAt, other.pushedAt),
    tags: joinTags([...one.tags, ...other.tags]),
    children,
    // One manifest has one subject: where two are told, what it refers to is not known.
    subject: one.subject === other.subject ? one.subject : undefined,
    referrers: one.referrers && other.referrers && [...new Set([...one.referrers, ...other.referrers])],
    released: joinReleased(one.released ?? [], other.released ?? []),
    releasedAt: latest(one.releasedAt, other.releasedAt),
    takenTags: [...new Set([...(one.takenTags ?? []), ...(other.takenTags ?? [])])],
  };
}

function joinReleased(one: readonly ReleasingBuild[], other: readonly ReleasingBuild[]): ReleasingBuild[] {
  return one.flatMap(build => {
    const same = other.filter(each => isSameBuild(each, build));
    const recorded = [build, ...same].every(each => each.recorded === true);
    return same.length > 0 ? [{ ...build, recorded }] : [];
  });
}

function joinTags(tags: readonly TagFact[]): TagFact[] {
  return [...groupBy(tags, tag => tag.name).values()].flatMap(
    same =>
      same.reduce((one, other) => ({
        name: one.name,
        locked: one.locked || other.locked,
        changedAt: latest(one.changedAt, other.changedAt),
        content: one.content === true && other.content === true,
      })) ?? [],
  );
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
