/** The brake: how much may be released within 24 hours before a person is asked. No input or output of its own. */
import { AppError } from '../base/errors.ts';
import type { Plan, PlannedRelease } from './report.ts';
import type { BuildKey, Rules } from './rules.ts';
import type { TombstoneKey } from './tombstone.ts';

/** Counts releases; asked before each, told after each. */
export interface Brake {
  /** Throws `BRAKE` when releasing `images` images of this build would pass the limit of its kind of evidence. */
  check(kind: ReleaseKind, key: BuildKey, images: number): void;
  /** Counts what was released. */
  add(kind: ReleaseKind, key: BuildKey, images: number): void;
  /** What was counted; in a dry run, what would be released. */
  releases(): readonly PlannedRelease[];
  /** In a dry run nothing is thrown; this tells what would have been. */
  tripped(): string | undefined;
}

/** The two kinds of evidence that release. */
export type ReleaseKind = 'deleted' | 'absent';

/** The window of the limits, in milliseconds. */
export const brakeWindowMs = 24 * 60 * 60_000;

/** A share of few builds is no sign of trouble: up to so many, only the number of images counts. */
const floorOf: Readonly<Record<ReleaseKind, number>> = { deleted: 20, absent: 5 };

/** Whether `releases` more are so few that the share cannot matter, and all builds need not be counted. */
export function isBelowFloor({ tombstones, now }: Pick<BrakeFacts, 'tombstones' | 'now'>, releases: number): boolean {
  const recent = recentOf(tombstones, now);
  return (['deleted', 'absent'] as const).every(kind => countBuilds(recent, kind) + releases <= floorOf[kind]);
}

function recentOf(tombstones: readonly TombstoneKey[], now: number): TombstoneKey[] {
  return tombstones.filter(each => each.count > 0 && each.time > now - brakeWindowMs);
}

/** A build may have two releases: of what it pushed, and of its promoted copies. */
function countBuilds(recent: readonly TombstoneKey[], kind: ReleaseKind): number {
  const own = recent.filter(each => each.kind === kind);
  return new Set(own.map(each => `${each.projectId}/${each.buildId}`)).size;
}

/** What the brake must know. */
export interface BrakeFacts {
  readonly limits: Rules['brake'];
  /** All tombstones of the registry; those of the last 24 hours count. */
  readonly tombstones: readonly TombstoneKey[];
  /** Builds that have records: what the share is taken of. May be fewer where {@link isBelowFloor} says so. */
  readonly builds: number;
  /** The registry's time in milliseconds. */
  readonly now: number;
  readonly approved: Plan | undefined;
  readonly dryRun: boolean;
}

/** Makes the brake of one run. A build of the approved plan passes; it counts all the same. */
export function createBrake(facts: BrakeFacts): Brake {
  const recent = recentOf(facts.tombstones, facts.now);
  const tally = (kind: ReleaseKind) => {
    const own = recent.filter(each => each.kind === kind);
    return { images: own.reduce((sum, each) => sum + each.count, 0), builds: countBuilds(own, kind) };
  };
  const counts: Record<ReleaseKind, { images: number; builds: number }> = {
    deleted: tally('deleted'),
    absent: tally('absent'),
  };
  const releases: PlannedRelease[] = [];
  let tripped: string | undefined;
  return {
    tripped: () => tripped,
    check(kind, key, images) {
      if (images === 0 || isApproved(facts.approved, key, images)) return;
      const limit = facts.limits[kind];
      if (counts[kind].images + images <= limit.images && counts[kind].builds + 1 <= allowedBuilds(facts, kind)) return;
      tripped ??= `The brake holds: releasing build ${key.buildId} would make ${counts[kind].images + images} images of ${counts[kind].builds + 1} builds in 24 hours (evidence "${kind}"; the limit is ${limit.images} images, brake.${kind}.images, or ${tellBuilds(facts, kind)}).`;
      if (!facts.dryRun) throw new AppError(tripped, { code: 'BRAKE' });
    },
    releases: () => releases,
    add(kind, key, images) {
      if (images === 0) return;
      releases.push({ projectId: key.projectId, buildId: key.buildId, images });
      counts[kind].images += images;
      counts[kind].builds += 1;
    },
  };
}

function allowedBuilds({ limits, builds }: Pick<BrakeFacts, 'limits' | 'builds'>, kind: ReleaseKind): number {
  return Math.max(floorOf[kind], Math.floor((builds * limits[kind].percent) / 100));
}

/** The limit of builds, and the key of the configuration that it comes from: the number alone stands nowhere. */
function tellBuilds(facts: Pick<BrakeFacts, 'limits' | 'builds'>, kind: ReleaseKind): string {
  const allowed = allowedBuilds(facts, kind);
  const key = `brake.${kind}.percent`;
  if (allowed === floorOf[kind]) return `${allowed} builds, which may go whatever ${key} says`;
  return `${allowed} builds, ${facts.limits[kind].percent} % of ${facts.builds} on record, ${key}`;
}

/** What was approved is so many images of a build: one that names more by now is asked about again. */
function isApproved(approved: Plan | undefined, key: BuildKey, images: number): boolean {
  return (
    approved?.release.some(
      each => each.projectId === key.projectId && each.buildId === key.buildId && images <= each.images,
    ) ?? false
  );
}
