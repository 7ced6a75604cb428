/** Reads one registry: its records, every repository, its tombstones, and what their images consist of and refer to. */
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Logger } from '../../base/log.ts';
import type { Reading } from '../../base/reading.ts';
import type { Registry } from '../../oci/registry.ts';
import type { RepositoryFact } from '../keep-policy/policy-facts.ts';
import type { EstateOrganization, EstateRegistry } from './estate.ts';
import { createLinksCache } from './manifest-links.ts';
import { nameRepositories } from './name-repositories.ts';
import { noOthers, type OthersQuestion, readOthers } from './read-others.ts';
import { noRecords, type RecordProject, type RecordsReading, readRecords } from './read-records.ts';
import { type RepositoryRun, readImages } from './read-repository.ts';
import { readSubjects, type SubjectOptions } from './read-subjects.ts';
import { noReleases, type Releases, readTombstones } from './read-tombstones.ts';
import type { AbsenceFact, RecordedBuildFact, RegistryReading } from './registry-reading.ts';
import { readWhole } from './unread.ts';
import { withSignal } from './with-signal.ts';

/** How to read. With `mayGo: () => false` no subject is read, until {@link readSubjects} is asked for them. */
export interface ReadRegistryOptions extends SubjectOptions {
  /** The id of each organization's collection by the organization's name, lower-case; what is not there makes its records unread. */
  readonly collectionIds: ReadonlyMap<string, string>;
  readonly log?: Logger | undefined;
}

const repositoriesAtOnce = 8;

/**
 * Reads one registry, whole or not at all: what failed is unread, with why, and nothing is left out of what is whole.
 * Throws the signal's reason where the run is ended, and defects of ours.
 */
export async function readRegistryFacts(
  estate: EstateRegistry,
  organizations: readonly EstateOrganization[],
  options: ReadRegistryOptions,
): Promise<RegistryReading> {
  const { signal, onProgress, onManifest, cache = createLinksCache() } = options;
  const registry = withSignal(estate.registry, signal);
  const projects = listProjects(organizations, options.collectionIds);
  onProgress?.(`reading the build records of ${estate.name}`, 0);
  let before = noRecords;
  const own = await readWhole(async () => {
    before = await readRecords(registry, projects, cache.share);
    return before.records;
  }, signal);
  let listed: readonly string[] | undefined;
  const images = await readWhole(async () => {
    const named = await nameRepositories(registry, estate.repositories, namedBy(own, projects));
    listed = named.listed;
    return readAll({ registry, cache, onManifest }, named.names, estate.name, options);
  }, signal);
  const question = { images, listed, projects, share: cache.share, before };
  const said = await readSayings(registry, own, question, signal);
  const { records, releases, absences, foreign, othersUnread, recordPlaces } = said;
  for (const each of foreign) options.log?.warn(each);
  const repositories = markReleased(images, releases);
  const read = { name: estate.name, repositories, records, othersUnread, recordPlaces };
  const facts = await readSubjects(estate, read, { ...options, cache });
  return { facts, builds: records.kind === 'whole' ? records.items : [], absences, foreign };
}

/** What records and tombstones say together. */
interface Sayings {
  readonly records: Reading<RecordedBuildFact>;
  readonly releases: Releases;
  readonly absences: readonly AbsenceFact[];
  readonly foreign: readonly string[];
  readonly othersUnread?: string | undefined;
  readonly recordPlaces?: ReadonlySet<string> | undefined;
}

interface SayingsQuestion extends OthersQuestion {
  readonly images: Reading<RepositoryFact>;
  readonly projects: readonly RecordProject[];
  /** What was recorded before the repositories were read. */
  readonly before: RecordsReading;
}

/**
 * Reads what was recorded meanwhile, the tombstones, and what others have recorded. That is asked after the repositories
 * were read: a record is written before its tag is put on, and a tombstone before a tag comes off, so whoever found a tag
 * missing finds what speaks of it.
 */
async function readSayings(
  registry: Registry,
  own: Reading<RecordedBuildFact>,
  question: SayingsQuestion,
  signal: AbortSignal | undefined,
): Promise<Sayings> {
  const { images, projects, share, before } = question;
  let said: Omit<Sayings, 'records'> = { releases: noReleases, absences: [], foreign: before.foreign };
  if (own.kind === 'unread') return { ...said, records: own };
  const records = await readWhole(async () => {
    const late = await readRecords(registry, projects, share, new Set(before.places));
    const tombstones = await readTombstones(registry, projects);
    // Without the repositories everything stays, whoever else means it.
    const others = images.kind === 'unread' ? noOthers : await readOthers(registry, question);
    const recordPlaces = new Set([...before.places, ...late.places, ...others.places]);
    const foreign = [...before.foreign, ...late.foreign].sort();
    said = { ...tombstones, foreign, othersUnread: others.unread, recordPlaces };
    return [...own.items, ...late.records, ...others.records];
  }, signal);
  return { ...said, records };
}

/** Few images are released, and of the others nothing is made anew. */
function markReleased(repositories: Reading<RepositoryFact>, releases: Releases): Reading<RepositoryFact> {
  if (repositories.kind === 'unread') return repositories;
  const items = repositories.items.map(({ name, images }): RepositoryFact => {
    if (images.kind === 'unread') return { name, images };
    const marked = images.items.map(image => {
      const release = releases.of(name, image.digest);
      return Object.values(release).some(each => each !== undefined) ? { ...image, ...release } : image;
    });
    return { name, images: { kind: 'whole', items: marked } };
  });
  return { kind: 'whole', items };
}

function listProjects(
  organizations: readonly EstateOrganization[],
  collectionIds: ReadonlyMap<string, string>,
): RecordProject[] {
  return organizations.flatMap(({ name: organization, projects }) =>
    projects.map(({ id, name }) => ({
      id,
      name: { organization, project: name },
      collectionId: collectionIds.get(organization),
    })),
  );
}

/** Where images and records should be, by what records say. */
function namedBy(records: Reading<RecordedBuildFact>, projects: readonly RecordProject[]): Set<string> {
  const named = new Set(projects.map(({ id }) => `image-lifecycle/builds/${id}`));
  if (records.kind === 'unread') return named;
  for (const { images } of records.items) for (const { repository } of images) named.add(repository);
  return named;
}

async function readAll(
  run: RepositoryRun,
  names: readonly string[],
  registry: string,
  { signal, onProgress }: ReadRegistryOptions,
): Promise<RepositoryFact[]> {
  let done = 0;
  return mapConcurrently(names, repositoriesAtOnce, async name => {
    const images = await readWhole(() => readImages(run, name), signal);
    done += 1;
    onProgress?.(`read ${done} of ${names.length} repositories of ${registry}`, done / names.length);
    return { name, images };
  });
}
