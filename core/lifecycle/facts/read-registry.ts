/** Reads one registry: its records and tombstones, every repository, and what their images consist of and refer to. */
import { mapConcurrently } from '../../base/concurrency.ts';
import type { Logger } from '../../base/log.ts';
import type { Reading } from '../../base/reading.ts';
import type { RepositoryFact } from '../keep-policy/policy-facts.ts';
import type { EstateOrganization, EstateRegistry } from './estate.ts';
import { createLinksCache } from './manifest-links.ts';
import { nameRepositories } from './name-repositories.ts';
import { type RecordProject, readRecords } from './read-records.ts';
import { type RepositoryRun, readImages } from './read-repository.ts';
import { readSubjects, type SubjectOptions } from './read-subjects.ts';
import { noReleases, readTombstones } from './read-tombstones.ts';
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
  let foreign: readonly string[] = [];
  let absences: readonly AbsenceFact[] = [];
  let releases = noReleases;
  const records = await readWhole(async () => {
    const read = await readRecords(registry, projects, cache.share);
    const tombstones = await readTombstones(registry, projects);
    foreign = read.foreign;
    ({ releases, absences } = tombstones);
    return read.records;
  }, signal);
  for (const each of foreign) options.log?.warn(each);
  const run: RepositoryRun = { registry, cache, releases, onManifest };
  const repositories = await readWhole(async () => {
    const names = await nameRepositories(registry, estate.repositories, namedBy(records, projects));
    return readAll(run, names, estate.name, options);
  }, signal);
  const facts = await readSubjects(estate, { name: estate.name, repositories, records }, { ...options, cache });
  return { facts, builds: records.kind === 'whole' ? records.items : [], absences, foreign };
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
