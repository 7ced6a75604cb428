/**
 * Deletes what has no tag and is old enough, with what belongs to it, as the plan says. There is no first step and no grace:
 * the repository's whole graph, the youngest tombstones and records are read anew, and tags and referrers are asked for again
 * before each deletion.
 */
import { errorMessage } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { headManifest } from '../../oci/manifests.ts';
import { brakeWindowMs } from '../brake.ts';
import { type CollectResult, collectRepository, isBreakOff, type KeptBy } from '../collect.ts';
import { listProjectIds } from '../facts/list-projects.ts';
import type { KnownLinks } from '../read-graph.ts';
import { removeManifest } from '../remove.ts';
import type { BrakeLimit } from '../rules.ts';
import { placeOf, type Run, registryTime, vetoOf } from '../surroundings.ts';
import type { UntaggedInHome } from './choose-untagged.ts';
import { createReadLateRecords, type ReadLateRecords, recordedSince } from './late-records.ts';
import { createReadRecentReleases, type ReadRecentReleases } from './recent-releases.ts';
import { createUntaggedBrake } from './untagged-brake.ts';
import { listUntaggedNotes, type UntaggedNote, untaggedNotes, writeUntaggedNote } from './untagged-note.ts';

/** What to delete in one registry. */
export interface UntaggedSweep {
  readonly homes: readonly UntaggedInHome[];
  /** How long an image must not have changed, in milliseconds. */
  readonly olderThanMs: number;
  /** All images of the registry: what the share of the brake is taken of. */
  readonly images: number;
  readonly limit: BrakeLimit;
  /** Whether a person approved them: then the brake counts, and lets them through. */
  readonly isApproved: boolean;
  /** Every project of the configuration, by its id in lower case, of whichever organization; others are found in the registry. */
  readonly projects: readonly string[];
  /** Where the records are that the plan knows. */
  readonly recordPlaces: ReadonlySet<string> | undefined;
}

/** What the repositories of one sweep share. */
interface Sweeping {
  readonly run: Run;
  readonly olderThanMs: number;
  /** Lists the projects that have left something in the registry by now. */
  readonly listProjects: () => Promise<readonly string[]>;
  readonly readRecent: ReadRecentReleases;
  readonly readLate: ReadLateRecords;
}

/** Deletes what may go, one repository after the other. Throws `BRAKE` before a repository that would pass the limit. */
export async function sweepUntagged(run: Run, sweep: UntaggedSweep): Promise<void> {
  const notes = await clearOldNotes(run);
  const brake = createUntaggedBrake(sweep, notes);
  run.timeBox.expect('repositories', sweep.homes.length);
  if (sweep.homes.length === 0) return;
  const known = [...sweep.projects, ...(await listProjectIds(run.registry))];
  const sweeping: Sweeping = {
    run,
    olderThanMs: sweep.olderThanMs,
    listProjects: async () => [...new Set([...known, ...(await listProjectIds(run.registry, []))])],
    readRecent: createReadRecentReleases(run),
    readLate: createReadLateRecords(run.registry, sweep.recordPlaces),
  };
  for (const each of sweep.homes) {
    if (run.timeBox.isOver()) return;
    run.signal?.throwIfAborted();
    brake.check(each.home.repository, each.going.length);
    const deleted = await sweepHome(sweeping, each);
    brake.add(deleted);
    run.timeBox.finish('repositories');
  }
}

/** Gives how many count: all, where it is not known how many went. */
async function sweepHome(sweeping: Sweeping, untagged: UntaggedInHome): Promise<number> {
  const { run } = sweeping;
  const { home, going } = untagged;
  const { repository } = home;
  const digests = going.map(({ place }) => place.image.digest);
  const note = await writeUntaggedNote(run.registry, registryTime(run), { repository, digests });
  const result = await collect(sweeping, untagged);
  if (typeof result === 'string') {
    report(run, repository, 'failed', `the deletion of what has no tag broke off: ${result}`);
    return digests.length;
  }
  for (const { place, reasons } of going) {
    const { digest } = place.image;
    const hold = result.held.get(digest);
    if (hold) report(run, placeOf({ repository, digest }), 'kept', hold.reason);
    else if (result.deleted.has(digest)) report(run, placeOf({ repository, digest }), 'deleted', reasons.join('; '));
  }
  const deleted = digests.filter(digest => result.deleted.has(digest));
  // What stays must not be counted again at each run.
  if (deleted.length < digests.length) {
    if (deleted.length > 0) await writeUntaggedNote(run.registry, note.time, { repository, digests: deleted });
    await removeManifest(
      { repository: untaggedNotes(run.registry), digest: note.manifest, expected: [note.tag] },
      run.log,
    );
  }
  return deleted.length;
}

async function collect(
  { run, olderThanMs, listProjects, readRecent, readLate }: Sweeping,
  { home, going }: UntaggedInHome,
): Promise<CollectResult | string> {
  const { repository } = home;
  const candidates = new Set(going.map(({ place }) => place.image.digest));
  const request = { repository, candidates, known: knownLinks(home), content: new Map(), recentMs: olderThanMs };
  try {
    const keptBy = async (): Promise<KeptBy> => {
      const projects = await listProjects();
      // In this order: whoever settles a build writes the tombstone before the record goes.
      const late = (await readLate(projects)).get(repository);
      const recent = await readRecent(repository, projects);
      const reasonOf = (digest: Digest): string | undefined => {
        if (!candidates.has(digest)) return 'it is not among what goes for want of a tag';
        if (recent.has(digest)) return 'it was released within the grace';
        if (late?.has(digest)) return recordedSince;
        return vetoOf(run, { repository, digest }, 'delete');
      };
      return digest => {
        const reason = reasonOf(digest);
        return reason === undefined ? undefined : { reason, settles: false };
      };
    };
    return await collectRepository(run, { ...request, keptBy });
  } catch (thrown) {
    if (!isBreakOff(thrown)) throw thrown;
    return errorMessage(thrown);
  }
}

/** What the plan's reading knows of the graph; content addressing keeps it true. */
function knownLinks({ places }: UntaggedInHome['home']): Map<Digest, KnownLinks> {
  return new Map(
    places.map(({ image }) => {
      const subject = image.subject === 'none' ? undefined : image.subject;
      return [image.digest, { children: image.children ?? [], subject }];
    }),
  );
}

/** Removes the notes of which the brake's day is over, and gives the others. */
async function clearOldNotes(run: Run): Promise<UntaggedNote[]> {
  const notes = await listUntaggedNotes(run.registry);
  const oldest = registryTime(run) - brakeWindowMs;
  const repository = untaggedNotes(run.registry);
  for (const { tag } of notes.filter(each => each.time <= oldest)) {
    const manifest = await headManifest(repository, tag);
    if (manifest) await removeManifest({ repository, digest: manifest.digest, expected: [tag] }, run.log);
  }
  return notes.filter(each => each.time > oldest);
}

function report(run: Run, subject: string, outcome: 'kept' | 'deleted' | 'failed', reason: string): void {
  run.report({ projectId: '', buildId: 0, subject, outcome, reason });
}
