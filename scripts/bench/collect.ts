/** What a collection costs: requests and memory to take the images of dead builds out of a large repository. */
import { day, type Estate, hour, startEstate } from '../../test/core/lifecycle/estate.ts';
import type { ClientResult, RunClient } from './client.ts';
import { deleteBuilds, deletionsByDigest, type MadeImage, makeBuilds, makeImage } from './dead-builds.ts';
import { orderFor } from './order.ts';
import { clearLogs, countBy, sumOf, type Tally, tallyAll } from './tally.ts';

/** The repository, and what of it is released. */
export interface CollectWorld {
  /** All manifests of the repository, those that are released among them. */
  readonly manifests: number;
  readonly indexes: number;
  /** Digests that are to be deleted: images, indexes and the platforms of these. */
  readonly released: number;
  readonly releasedIndexes: number;
}

/** What was counted in the run that collected. */
export interface CollectFigures {
  /** All that does not grow with the number of builds: sign-in, lists, and the repository itself. */
  readonly collection: Tally;
  /** Evidence, tombstone and record of each build. */
  readonly bookkeeping: Tally;
  readonly bound: number;
  readonly deleted: number;
  readonly client: ClientResult;
}

const repository = 'shop/app';
const platforms = 2;
const pageSize = 1000;

/** Releases builds of one image each, lets the grace pass and collects. Throws unless exactly the released is gone. */
export async function measureCollect(world: CollectWorld, run: RunClient): Promise<CollectFigures> {
  const estate = await startEstate();
  try {
    const images = seed(estate, world);
    deleteBuilds(
      estate,
      await makeBuilds(
        estate,
        images.map(image => [image]),
      ),
    );
    await run(orderFor(estate));
    estate.advance(day + hour);
    clearLogs(estate);
    const client = await run(orderFor(estate));
    const left = estate.acr.world.manifests(repository).length;
    const gone = deletionsByDigest(estate);
    const deleted = gone.size;
    if (client.braked || left !== world.manifests - world.released || deleted !== world.released) {
      throw new Error(`${left} manifests are left, ${deleted} were deleted: ${client.reasons.join('; ')}`);
    }
    return { ...split(estate), bound: boundOf(world), deleted, client };
  } finally {
    await estate.close();
  }
}

/** Listing pages, indexes, and three for each image that is deleted. */
function boundOf({ manifests, indexes, released }: CollectWorld): number {
  return Math.ceil(manifests / pageSize) + indexes + 3 * released;
}

/** Fills the repository; gives the images that builds will own. */
function seed(estate: Estate, { manifests, indexes, released, releasedIndexes }: CollectWorld): MadeImage[] {
  const { world } = estate.acr;
  const others = world.seedManifests(repository, {
    manifests: manifests - released,
    indexes: indexes - releasedIndexes,
    childrenPerIndex: platforms,
    tag: ordinal => `v1.${ordinal}.0`,
  });
  const single = others.images.slice(others.indexes.length * platforms);
  for (const [ordinal, digest] of single.entries()) world.tag(repository, `v2.${ordinal}.0`, digest);
  const plain = released - releasedIndexes * (1 + platforms);
  return Array.from({ length: plain + releasedIndexes }, (_, ordinal) =>
    makeImage(estate, repository, ordinal >= plain),
  );
}

/** A list, and the counts that it is held against: they do not grow with the builds but by pages. */
const ofLists = new Set(['oci.tags.list', 'repository.get']);

/** Parts off what each build costs beside its images: its evidence, its tombstone and its record. */
function split(estate: Estate): { collection: Tally; bookkeeping: Tally } {
  const ofBuilds = estate.acr.requests
    .all()
    .filter(each => each.repository?.startsWith('image-lifecycle/') && !ofLists.has(each.operation));
  const blobs = estate.acr.requests.all({ operation: 'blob.data' });
  const evidence = estate.ado.requests.entries.filter(each => each.operation === 'builds.get');
  const bookkeeping = {
    ...countBy([...ofBuilds, ...blobs], each => each.operation),
    ...countBy(evidence, each => `Azure DevOps ${each.operation}`),
  };
  const rest = Object.entries(tallyAll(estate)).map(
    ([operation, count]) => [operation, count - (bookkeeping[operation] ?? 0)] as const,
  );
  return { collection: Object.fromEntries(rest.filter(([, count]) => count > 0)), bookkeeping };
}

/** The figures as the bench prints them. */
export function collectLine({ collection, bookkeeping, bound, deleted, client }: CollectFigures) {
  return {
    requests: sumOf(collection),
    bound,
    rssMB: client.rssMB,
    deleted,
    bookkeeping: sumOf(bookkeeping),
    seconds: client.seconds,
  };
}
