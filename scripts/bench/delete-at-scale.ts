/** Many builds deleted at once, against a registry that throttles as Azure publishes it. */
import { day, type Estate, hour, startEstate } from '../../test/core/lifecycle/estate.ts';
import type { ClassBudgets } from '../../test/emulators/acr/throttle.ts';
import type { ClientResult, RunClient } from './client.ts';
import { deleteBuilds, deletionsByDigest, type MadeImage, makeBuilds, makeImage } from './dead-builds.ts';
import { orderFor } from './order.ts';
import { clearLogs, countBy, sumOf, type Tally, tallyAll } from './tally.ts';

/** How much is deleted, how much stays, and how the registry throttles. */
export interface ScaleWorld {
  /** Builds that die, each with one image in each repository. */
  readonly builds: number;
  /** Builds that live on. */
  readonly living: number;
  readonly repositories: number;
  readonly budgets: ClassBudgets;
}

/** What was counted in one of the two runs. */
export interface ScaleRun {
  readonly requests: Tally;
  /** Answers 429, by class of operation. */
  readonly throttled: Tally;
  readonly client: ClientResult;
}

/** What was counted, and what became of the images. */
export interface ScaleFigures {
  readonly release: ScaleRun;
  readonly collect: ScaleRun;
  /** Digests of dead builds that nobody deleted; an index counts with its platforms. */
  readonly lost: number;
  /** Digests that were deleted more than once. */
  readonly doubled: number;
  /** Digests of living builds that are gone. */
  readonly harmed: number;
  readonly deleted: number;
  /** Records and tombstones of dead builds that are left. */
  readonly leftovers: number;
}

/** Each of Standard's published budgets of one identity, in windows of `windowMs` instead of a minute. */
export function publishedBudgets(windowMs: number): ClassBudgets {
  return { windowMs, Read: 5000, Write: 1000, Delete: 500, ListReferrers: 250, OAuth: 10_000 };
}

/** Deletes builds, releases, lets the grace pass, collects: each run by a client of its own. */
export async function measureScale(world: ScaleWorld, run: RunClient): Promise<ScaleFigures> {
  const estate = await startEstate();
  try {
    const images = Array.from({ length: world.builds + world.living }, (_, build) => putImages(estate, world, build));
    const ids = await makeBuilds(estate, images);
    deleteBuilds(estate, ids.slice(0, world.builds));
    estate.acr.setBudgets(world.budgets);
    const release = await runOnce(estate, run);
    estate.advance(day + hour);
    const collect = await runOnce(estate, run);
    const deletions = deletionsByDigest(estate);
    return {
      release,
      collect,
      lost: placesOf(images.slice(0, world.builds)).filter(place => !deletions.has(place)).length,
      doubled: [...deletions.values()].filter(count => count > 1).length,
      harmed: placesOf(images.slice(world.builds)).filter(place => !isThere(estate, place)).length,
      deleted: deletions.size,
      leftovers: countLeftovers(estate, world.living),
    };
  } finally {
    await estate.close();
  }
}

/** Every tenth image is an index of two platforms. */
function putImages(estate: Estate, { repositories }: ScaleWorld, build: number): MadeImage[] {
  return Array.from({ length: repositories }, (_, ordinal) =>
    makeImage(estate, `shop/service-${ordinal}`, (build + ordinal) % 10 === 0),
  );
}

function placesOf(images: readonly (readonly MadeImage[])[]): string[] {
  return images.flat().flatMap(({ repository, digests }) => digests.map(digest => `${repository}@${digest}`));
}

function isThere({ acr }: Estate, place: string): boolean {
  const [repository = '', digest = ''] = place.split('@');
  return acr.world.has(repository, digest);
}

async function runOnce(estate: Estate, run: RunClient): Promise<ScaleRun> {
  clearLogs(estate);
  const client = await run(orderFor(estate));
  const throttled = countBy(estate.acr.requests.all({ status: 429 }), each => each.operationClass);
  return { requests: tallyAll(estate), throttled, client };
}

function countLeftovers({ acr }: Estate, living: number): number {
  const own = acr.world.repositories().filter(name => name.startsWith('image-lifecycle/'));
  return own.reduce((sum, name) => sum + acr.world.manifests(name).length, 0) - living;
}

/** The figures as the bench prints them. */
export function scaleLine({ release, collect, ...rest }: ScaleFigures, builds: number) {
  const { lost, doubled, harmed, deleted, leftovers } = rest;
  const throttled = sumOf(release.throttled) + sumOf(collect.throttled);
  const rssMB = Math.max(release.client.rssMB, collect.client.rssMB);
  const seconds = Math.round(release.client.seconds + collect.client.seconds);
  return { builds, lost, doubled, rssMB, harmed, deleted, leftovers, throttled, seconds };
}
