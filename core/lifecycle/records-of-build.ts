/** What the records of one dead build say together, each held against its place, its collection and Azure DevOps. */
import { mapConcurrently } from '../base/concurrency.ts';
import { type BuildRecord, isPromoted, type RecordKey, type RecordReading, readRecord } from './build-record.ts';
import type { NamedImage } from './plan.ts';
import type { Rules } from './rules.ts';
import { type DeadBuild, placeOf, type Run } from './surroundings.ts';

/** Images that may be released, and the records that this settles. */
export interface Releasable {
  readonly images: readonly NamedImage[];
  readonly records: readonly RecordKey[];
}

/** An image that stays, and why. */
export interface KeptImage extends NamedImage {
  readonly reason: string;
}

/** The parts of what a build may leave: what it pushed itself, and the copies that promotions brought. */
export type Part = 'own' | 'copies';

/** What may go, part by part, and what stays with the records that say so. */
export interface RecordsOfBuild extends Readonly<Record<Part, Releasable>> {
  readonly kept: readonly KeptImage[];
  readonly keepers: readonly RecordKey[];
  /** Whether a keeper is one by the rule for promoted copies alone. */
  readonly keepsCopies: boolean;
}

type OwnReading = Extract<RecordReading, { kind: 'record' }>;
type ForeignReading = Extract<RecordReading, { reason: string }>;

/** What becomes of the images of a record. */
type Fate = Part | 'kept' | 'keptCopies';

const reasons = {
  kept: 'its pipeline said "onBuildDeleted: keep"',
  keptCopies:
    'a promoted copy; nothing tells what runs in that stage, and the configuration does not say "onBuildDeleted: delete"',
} as const;

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
  return joinRecords(own, run.rules);
}

/** The stricter of record and rule wins, and one record that keeps an image is stronger than any number that do not. */
function joinRecords(readings: readonly OwnReading[], rules: Rules): RecordsOfBuild {
  const of = (...fates: Fate[]) => readings.filter(reading => fates.includes(fateOf(reading.record, rules)));
  const keep = (fate: keyof typeof reasons) =>
    [...mergeImages(of(fate))].map(([place, image]) => [place, { ...image, reason: reasons[fate] }] as const);
  const kept = new Map<string, KeptImage>([...keep('keptCopies'), ...keep('kept')]);
  const going = [...mergeImages(of('own', 'copies'))].filter(([place]) => !kept.has(place));
  const copies = mergeImages(of('copies'));
  const keysOf = (...fates: Fate[]) => of(...fates).map(reading => reading.key);
  return {
    own: { images: going.flatMap(([place, image]) => (copies.has(place) ? [] : image)), records: keysOf('own') },
    copies: { images: going.flatMap(([place, image]) => (copies.has(place) ? image : [])), records: keysOf('copies') },
    kept: [...kept.values()],
    keepers: keysOf('kept', 'keptCopies'),
    keepsCopies: of('keptCopies').length > 0,
  };
}

function fateOf(record: BuildRecord, rules: Rules): Fate {
  if (record.onBuildDeleted === 'keep') return 'kept';
  if (!isPromoted(record)) return 'own';
  return rules.promoted === 'keep' ? 'keptCopies' : 'copies';
}

function foreignness(run: Run, dead: DeadBuild, reading: OwnReading | ForeignReading): string | undefined {
  if (reading.kind !== 'record') return reading.reason;
  const { collectionId, definitionId } = reading.record.build;
  if (collectionId !== run.collectionId) return `it is of the collection ${collectionId}`;
  return definitionId === dead.definitionId ? undefined : `Azure DevOps says definition ${dead.definitionId}`;
}

/** Charts among them: what was pushed as an OCI artifact goes as an image does. */
function mergeImages(readings: readonly OwnReading[]): Map<string, NamedImage> {
  const images = new Map<string, NamedImage>();
  for (const image of readings.flatMap(({ record }) => [...record.images, ...record.charts])) {
    const { repository, digest, mediaType, subject } = image;
    const place = placeOf(image);
    const tags = [...new Set([...(images.get(place)?.tags ?? []), ...image.tags])];
    images.set(place, { repository, digest, mediaType, subject, tags });
  }
  return images;
}

function keepBuild(run: Run, dead: DeadBuild, reason: string): void {
  const { projectId, build } = dead;
  run.report({ projectId, buildId: build.id, subject: `build ${build.id}`, outcome: 'kept', reason });
}
