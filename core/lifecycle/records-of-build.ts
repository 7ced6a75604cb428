/** What the records of one dead build say together, each held against its place, its collection and Azure DevOps. */
import { mapConcurrently } from '../base/concurrency.ts';
import { type RecordKey, type RecordReading, readRecord } from './build-record.ts';
import type { NamedImage } from './plan.ts';
import type { DeadBuild, Run } from './surroundings.ts';

/** The images that may be released, the records that this settles, and those that say "keep". */
export interface RecordsOfBuild {
  readonly images: readonly NamedImage[];
  readonly kept: readonly NamedImage[];
  readonly settled: readonly RecordKey[];
  readonly keepers: readonly RecordKey[];
}

type OwnReading = Extract<RecordReading, { kind: 'record' }>;
type ForeignReading = Extract<RecordReading, { reason: string }>;

/**
 * Reads the records. Undefined when one cannot be read: what it would have said protects every image of the build.
 * Foreign records are reported and left out.
 */
export async function readRecordsOfBuild(run: Run, dead: DeadBuild): Promise<RecordsOfBuild | undefined> {
  const readings = await mapConcurrently(dead.records, 8, key => readRecord(run.registry, key));
  const own: OwnReading[] = [];
  for (const reading of readings) {
    const { tag } = reading.key;
    // It was listed a moment ago: another run may have removed it, or the answer is wrong. The next run knows.
    if (reading.kind === 'unreadable' || reading.kind === 'gone') {
      const why = reading.kind === 'gone' ? 'it is listed, but not there' : reading.reason;
      keepBuild(run, dead, `its record ${tag} cannot be read (${why}), so all its images stay`);
      return undefined;
    }
    const why = foreignness(run, dead, reading);
    if (reading.kind === 'record' && why === undefined) own.push(reading);
    else keepBuild(run, dead, `its record ${tag} is foreign and not acted on: ${why}`);
  }
  const keepers = own.filter(reading => reading.record.onBuildDeleted === 'keep');
  const others = own.filter(reading => reading.record.onBuildDeleted === 'delete');
  const kept = mergeImages(keepers);
  return {
    kept: [...kept.values()],
    // One record that says "keep" is stronger than any number that do not.
    images: [...mergeImages(others)].flatMap(([place, image]) => (kept.has(place) ? [] : image)),
    settled: others.map(reading => reading.key),
    keepers: keepers.map(reading => reading.key),
  };
}

function foreignness(run: Run, dead: DeadBuild, reading: OwnReading | ForeignReading): string | undefined {
  if (reading.kind !== 'record') return reading.reason;
  const { collectionId, definitionId } = reading.record.build;
  if (collectionId !== run.collectionId) return `it is of the collection ${collectionId}`;
  return definitionId === dead.definitionId ? undefined : `Azure DevOps says definition ${dead.definitionId}`;
}

function mergeImages(readings: readonly OwnReading[]): Map<string, NamedImage> {
  const images = new Map<string, NamedImage>();
  for (const image of readings.flatMap(reading => reading.record.images)) {
    const { repository, digest, mediaType, subject } = image;
    const place = `${repository}@${digest}`;
    const tags = [...new Set([...(images.get(place)?.tags ?? []), ...image.tags])];
    images.set(place, { repository, digest, mediaType, subject, tags });
  }
  return images;
}

function keepBuild(run: Run, dead: DeadBuild, reason: string): void {
  const { projectId, build } = dead;
  run.report({ projectId, buildId: build.id, subject: `build ${build.id}`, outcome: 'kept', reason });
}
