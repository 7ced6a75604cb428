/** The build records of a registry, of every project that is looked after: all of them, or why not. */
import { mapConcurrently } from '../../base/concurrency.ts';
import { AppError } from '../../base/errors.ts';
import type { Registry } from '../../oci/registry.ts';
import {
  type BuildRecord,
  isPromoted,
  parseRecordTag,
  type RecordKey,
  type RecordReading,
  readRecord,
  recordRepository,
} from '../build-record.ts';
import type { BuildName } from '../keep-policy/policy-facts.ts';
import { listWholeTags } from './list-whole.ts';
import type { RecordedBuildFact } from './registry-reading.ts';
import type { ShareText } from './share-texts.ts';

/** A project whose records are read. */
export interface RecordProject {
  /** Lower-case GUID. */
  readonly id: string;
  readonly name: Pick<BuildName, 'organization' | 'project'>;
  /** Of its organization, lower-case; undefined where that could not be read, and then no record of it can be. */
  readonly collectionId: string | undefined;
  /** Why nobody can be asked for its builds; then its records are not held against anything. */
  readonly stranger?: string | undefined;
}

/** The records, and which of them only hold what they name, each with why. */
export interface RecordsReading {
  readonly records: readonly RecordedBuildFact[];
  readonly foreign: readonly string[];
  /** Where the records are that were not known before, by {@link placeOfRecord}. */
  readonly places: readonly string[];
}

/** Nothing is recorded, or it is not known. */
export const noRecords: RecordsReading = { records: [], foreign: [], places: [] };

/** The organization of builds that nobody can be asked for; those of the configuration are URLs. */
export const noOrganization = 'no organization of the configuration';

type FoundRecord = Extract<RecordReading, { record: BuildRecord }>;

const recordsAtOnce = 16;

/** A record's place as one text, `<projectId>/<tag>`. */
export function placeOfRecord({ projectId, tag }: RecordKey): string {
  return `${projectId}/${tag}`;
}

/** A project that is not asked for its builds, and why: its records hold what they name. */
export function strangerProject(id: string, stranger: string): RecordProject {
  return { id, name: { organization: noOrganization, project: id }, collectionId: undefined, stranger };
}

/**
 * Reads the records of projects, but for those at the places that are known. Throws `RECORD_UNREADABLE` where one cannot
 * be read, because what it would have said may protect any image; where a list is not whole; and as the registry does.
 */
export async function readRecords(
  registry: Registry,
  projects: readonly RecordProject[],
  share: ShareText,
  known: ReadonlySet<string> = new Set(),
): Promise<RecordsReading> {
  const listed = await mapConcurrently(projects, 8, async project => {
    const keys = await listEveryRecordKey(registry, project.id);
    return keys.flatMap(key => (known.has(placeOfRecord(key)) ? [] : { project, key }));
  });
  const foreign: string[] = [];
  const gone: { project: RecordProject; key: RecordKey }[] = [];
  const records = await mapConcurrently(listed.flat(), recordsAtOnce, async ({ project, key }) => {
    const reading = await readRecord(registry, key);
    if (reading.kind === 'gone') gone.push({ project, key });
    if (reading.kind === 'gone') return [];
    if (reading.kind === 'unreadable') throw unreadable(registry, key, reading.reason);
    const why = foreignness(registry, project, reading);
    if (why !== undefined)
      foreign.push(`the record ${labelOf(registry, key)} is not acted on, and what it names stays: ${why}`);
    // Whose it is cannot be told, so it says nothing of any build of ours; that somebody means these images it does say.
    const name = why === undefined ? project.name : { organization: noOrganization, project: project.id };
    const fact = factOf(name, reading.record, share);
    const stranger = why === undefined ? project.stranger : `its record is foreign: ${why}`;
    return stranger === undefined ? fact : { ...fact, stranger };
  });
  await checkGone(registry, gone);
  const places = listed.flatMap(each => each.map(({ key }) => placeOfRecord(key)));
  return { records: records.flat(), foreign: foreign.sort(), places };
}

/**
 * The places of all records of a project. One that is hidden or cut off could be of a build that lives, or say "keep", so
 * the tags are counted: throws `REGISTRY_UNEXPECTED` where the list is not whole.
 */
export async function listEveryRecordKey(registry: Registry, projectId: string): Promise<RecordKey[]> {
  const tags = await listWholeTags(recordRepository(registry, projectId, ['pull', 'metadata_read']));
  return [...tags].flatMap(tag => parseRecordTag(projectId, tag) ?? []);
}

/** Whoever settles a build removes its records: one that is not listed any more is gone, and else the 404 is no answer. */
async function checkGone(
  registry: Registry,
  gone: readonly { readonly project: RecordProject; readonly key: RecordKey }[],
): Promise<void> {
  for (const project of new Set(gone.map(each => each.project))) {
    const left = new Set((await listEveryRecordKey(registry, project.id)).map(key => key.tag));
    const missing = gone.find(each => each.project === project && left.has(each.key.tag));
    if (missing) throw unreadable(registry, missing.key, 'it is listed, but not there');
  }
}

function foreignness(registry: Registry, project: RecordProject, reading: FoundRecord): string | undefined {
  if (project.stranger !== undefined) return undefined;
  if (reading.kind === 'foreign') return reading.reason;
  const { collectionId } = reading.record.build;
  if (project.collectionId === undefined) {
    const { organization } = project.name;
    throw unreadable(
      registry,
      reading.key,
      `the id of ${organization} was not read, so nobody knows whether it is of it`,
    );
  }
  return collectionId === project.collectionId ? undefined : `it is of the collection ${collectionId}`;
}

function factOf(name: RecordProject['name'], record: BuildRecord, share: ShareText): RecordedBuildFact {
  const { build, onBuildDeleted, createdAt } = record;
  // Charts among them: what was pushed as an OCI artifact goes as an image does.
  const images = [...record.images, ...record.charts].map(({ repository, digest, tags }) => ({
    repository: share(repository),
    digest: share(digest),
    tags: tags.map(share),
  }));
  return {
    build: { ...name, id: build.id },
    definition: build.definitionId,
    promoted: isPromoted(record),
    onBuildDeleted,
    images,
    number: share(build.number),
    repository: share(build.repository),
    branch: share(build.branch),
    commit: share(build.commit),
    createdAt: Date.parse(createdAt),
  };
}

function unreadable(registry: Registry, key: RecordKey, reason: string): AppError {
  const what = `the record ${labelOf(registry, key)} cannot be read (${reason})`;
  return new AppError(`${what}; where it is damaged, delete that tag once you know what it named.`, {
    code: 'RECORD_UNREADABLE',
  });
}

function labelOf(registry: Registry, { projectId, tag }: RecordKey): string {
  return `${recordRepository(registry, projectId, []).label}:${tag}`;
}
