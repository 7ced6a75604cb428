/** The images of all registries in one order, each with the records that name it. What was told twice is joined. Pure. */
import { groupBy } from '../base/group-by.ts';
import type { Digest } from '../oci/digest.ts';
import { subjectOfTag } from '../oci/referrers.ts';
import { type KnownBuild, type KnownBuilds, keyOfBuild } from './known-builds.ts';
import type { ImageFact, PlanFacts, RecordFact, TagFact } from './policy-facts.ts';

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
  readonly records: RecordEntry[];
}

/** One repository of one registry. */
export interface Home {
  readonly registry: string;
  readonly repository: string;
  readonly places: ReadonlyMap<Digest, Place>;
  /** Whether it was read of every image what it refers to. */
  readonly hasAllSubjects: boolean;
  /** What each tag is on; reckoned when it is first asked for. */
  tags(): ReadonlyMap<string, readonly Digest[]>;
}

/** Everything that is there. */
export interface Places {
  /** In the order of registry and repository; the places in each, of digest. */
  readonly homes: readonly Home[];
  readonly byDigest: ReadonlyMap<Digest, readonly Place[]>;
}

/** Joins what was read of the registries. What is unread is left out; unread-sources.ts tells of it. */
export function gatherPlaces(facts: PlanFacts, builds: KnownBuilds): Places {
  const homes: Home[] = [];
  const byName = new Map<string, Home>();
  for (const [registry, said] of inOrder(groupBy(facts.registries, each => each.name))) {
    const repositories = said.flatMap(each => (each.repositories.kind === 'whole' ? each.repositories.items : []));
    for (const [repository, parts] of inOrder(groupBy(repositories, each => each.name))) {
      const images = parts.flatMap(each => (each.images.kind === 'whole' ? each.images.items : []));
      const home = gatherHome(registry, repository, images);
      homes.push(home);
      byName.set(`${registry}/${repository}`, home);
    }
    for (const { records } of said) {
      for (const record of records.kind === 'whole' ? records.items : []) attach(record, registry, byName, builds);
    }
  }
  const byDigest = new Map<Digest, Place[]>();
  for (const { places } of homes) {
    for (const [digest, place] of places) {
      const copies = byDigest.get(digest);
      if (copies) copies.push(place);
      else byDigest.set(digest, [place]);
    }
  }
  return { homes, byDigest };
}

/** What an image refers to, as far as that is known: its subject, and those that its tags name. */
export function subjectsOf({ subject, tags }: ImageFact): Digest[] {
  const named = tags.flatMap(tag => subjectOfTag(tag.name) ?? []);
  return subject === undefined || subject === 'none' ? named : [subject, ...named];
}

function inOrder<T>(groups: ReadonlyMap<string, T>): [string, T][] {
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
}

function gatherHome(registry: string, repository: string, images: readonly ImageFact[]): Home {
  const places = new Map<Digest, Place>();
  let tags: ReadonlyMap<string, readonly Digest[]> | undefined;
  const hasAllSubjects = images.every(each => each.subject !== undefined);
  const home: Home = { registry, repository, places, hasAllSubjects, tags: () => (tags ??= listTags(places)) };
  const sorted = [...images].sort((one, other) => (one.digest < other.digest ? -1 : 1));
  for (const image of sorted) {
    const known = places.get(image.digest);
    places.set(image.digest, { home, image: known ? join(known.image, image) : image, records: [] });
  }
  return home;
}

function listTags(places: ReadonlyMap<Digest, Place>): Map<string, Digest[]> {
  const found = new Map<string, Digest[]>();
  for (const [digest, { image }] of places) {
    for (const { name } of image.tags) found.set(name, [...(found.get(name) ?? []), digest]);
  }
  return found;
}

function attach(record: RecordFact, registry: string, homes: ReadonlyMap<string, Home>, builds: KnownBuilds): void {
  const build = builds.get(keyOfBuild(record.build));
  for (const { repository, digest, tags } of record.images) {
    homes.get(`${registry}/${repository}`)?.places.get(digest)?.records.push({ record, tags, build });
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
    released: one.released?.filter(build => other.released?.some(each => keyOfBuild(each) === keyOfBuild(build))),
  };
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
