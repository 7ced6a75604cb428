/** What of a build can be promoted: what its records in the source registry say. Nothing is guessed. */
import { mapConcurrently } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import type { Logger } from '../base/log.ts';
import type { Digest } from '../oci/digest.ts';
import { headManifest } from '../oci/manifests.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository } from '../oci/repository.ts';
import { type BuildRecord, listRecordKeys, type RecordKey, type RecordReading, readRecord } from './build-record.ts';

/** A build, as the run that promotes it knows it. */
export interface BuildToPromote {
  /** Lower-case GUIDs. */
  readonly collectionId: string;
  readonly projectId: string;
  readonly definitionId: number;
  readonly buildId: number;
}

/**
 * Reads the records of a build: of each job those of its newest attempt, because that is what the build came to.
 * Throws `RECORD_NOT_FOUND` with the builds that are recorded, and `RECORD_UNREADABLE` where one cannot be read, because
 * what it says would be missing from the stage.
 */
export async function readPromotable(registry: Registry, build: BuildToPromote, log: Logger): Promise<BuildRecord[]> {
  const records = await readOwnRecords(registry, build, log);
  // A copy inside this registry, under another name, is not what the build made.
  const found = records.filter(record => record.promotedFrom !== registry.host);
  if (found.length === 0) throw await nothingRecorded(registry, build);
  return newestAttempts(found);
}

/** Every record of the build that agrees with what is known of it. Throws `RECORD_UNREADABLE`. */
export async function readOwnRecords(registry: Registry, build: BuildToPromote, log: Logger): Promise<BuildRecord[]> {
  const keys = await listRecordKeys(registry, build.projectId, build.buildId);
  const readings = await mapConcurrently(keys, 8, key => readRecord(registry, key));
  return readings.flatMap(reading => {
    const place = `${registry.host}/image-lifecycle/builds/${reading.key.projectId}:${reading.key.tag}`;
    if (reading.kind === 'unreadable' || reading.kind === 'gone') {
      const reason = reading.kind === 'gone' ? 'it is listed, but not there' : reading.reason;
      throw new AppError(`The record ${place} cannot be read (${reason}), and what it names would be left behind.`, {
        code: 'RECORD_UNREADABLE',
      });
    }
    const why = whyNot(reading, build);
    if (reading.kind === 'record' && why === undefined) return [reading.record];
    log.warn(`The record ${place} was left out: ${why}.`);
    return [];
  });
}

/** Whoever may push can write a record; one that another pipeline's build claims for itself brings nothing into a stage. */
function whyNot(reading: Exclude<RecordReading, { kind: 'gone' }>, expected: BuildToPromote): string | undefined {
  if ('reason' in reading) return reading.reason;
  const { build } = reading.record;
  if (build.collectionId !== expected.collectionId) return `it is of the collection ${build.collectionId}`;
  if (build.definitionId !== expected.definitionId) {
    return `it is of pipeline ${build.definitionId}, and the build is of pipeline ${expected.definitionId}`;
  }
  return undefined;
}

/** What the build's own tag is on in a repository of the source; undefined where it is not there. */
export async function buildTagIn(
  registry: Registry,
  repository: string,
  buildTag: string,
): Promise<Digest | undefined> {
  return (await headManifest(openRepository(registry, repository, ['pull']), buildTag))?.digest;
}

function newestAttempts(records: readonly BuildRecord[]): BuildRecord[] {
  const jobs = groupBy(records, ({ build }) => JSON.stringify([build.stage, build.job]));
  return [...jobs.values()].flatMap(ofJob => {
    const newest = ofJob.reduce((one, other) => (compareAttempts(one, other) >= 0 ? one : other));
    return ofJob.filter(record => compareAttempts(record, newest) === 0);
  });
}

/** Stage attempt first, then job attempt. */
function compareAttempts(one: BuildRecord, other: BuildRecord): number {
  const [stage = 0, job = 0] = one.build.attempt.split('.').map(Number);
  const [otherStage = 0, otherJob = 0] = other.build.attempt.split('.').map(Number);
  return stage - otherStage || job - otherJob;
}

async function nothingRecorded(registry: Registry, build: BuildToPromote): Promise<AppError> {
  const keys = await listRecordKeys(registry, build.projectId);
  const others = candidates(keys, build.definitionId);
  const known =
    others.length > 0
      ? `The newest builds of this pipeline that it has records of are ${others.join(', ')}.`
      : `It has records of no build of pipeline ${build.definitionId} in project ${build.projectId}.`;
  return new AppError(
    `${registry.host} has no record of build ${build.buildId} of pipeline ${build.definitionId}, so nothing says what it made. ${known} Did TagImage run in that build, for this registry?`,
    { code: 'RECORD_NOT_FOUND' },
  );
}

function candidates(keys: readonly RecordKey[], definitionId: number): number[] {
  const ids = new Set(keys.filter(key => key.definitionId === definitionId).map(key => key.buildId));
  return [...ids].sort((one, other) => other - one).slice(0, 5);
}
