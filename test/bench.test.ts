/** The benches' own arithmetic with small numbers, so that a request more for each image is seen before a release is. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { measureClean } from '../scripts/bench/clean.ts';
import { cleanHere } from '../scripts/bench/clean-client.ts';
import { runHere } from '../scripts/bench/client.ts';
import { measureCollect } from '../scripts/bench/collect.ts';
import { measureScale } from '../scripts/bench/delete-at-scale.ts';
import { planHere } from '../scripts/bench/plan-client.ts';
import { measureRequests, totalOf } from '../scripts/bench/promote-requests.ts';
import { measureReconcile } from '../scripts/bench/reconcile.ts';
import { measureRelease } from '../scripts/bench/release-build.ts';
import { sumOf } from '../scripts/bench/tally.ts';

describe('benches', () => {
  const perBuild = 17;
  const perImage = 5;

  it('releases a build in so many requests for each image, however large the registry is', async () => {
    const small = { images: 3, indexes: 1, otherTags: 30, otherRecords: 3 };
    const few = await measureRelease(small, runHere);
    equal(sumOf(few), perBuild + small.images * perImage + small.indexes);
    deepEqual(await measureRelease({ ...small, otherTags: 6000 }, runHere), few);
    const more = await measureRelease({ ...small, images: 5, indexes: 2 }, runHere);
    equal(sumOf(more), perBuild + 5 * perImage + 2);
    // What the promise is: at most 6 for each image and 15, for ten images.
    ok(perBuild + 10 * perImage + 2 <= 75);
  });

  it('collects with three requests for each digest, one for each other index, and no more but a few', async () => {
    const world = { manifests: 1100, indexes: 30, released: 10, releasedIndexes: 2 };
    const { collection, bookkeeping, deleted } = await measureCollect(world, runHere);
    equal(deleted, 10);
    deepEqual(
      ['referrers.list', 'tags.list', 'manifest.delete', 'manifest.get', 'manifests.list', 'repository.get'].map(
        operation => collection[operation],
      ),
      // Two pages, and one look at the newest; counts before and after three lists, and the first is answered 401.
      [10, 10, 10, 28, 2 + 1, 2 * 3 + 1],
    );
    const fixed = 9;
    equal(sumOf(collection), 3 * 10 + 28 + 2 + 1 + 2 * 3 + 1 + fixed);
    const builds = 6;
    ok(sumOf(bookkeeping) <= 12 * builds, JSON.stringify(bookkeeping));
  });

  it('finds the builds that are gone with a request for 1,000 records and one for 200 builds', async () => {
    const world = { repositories: 20, builds: 410, images: 2, gone: 4 };
    const { find, second, release, listing } = await measureReconcile(world, runHere);
    const signIn = { 'oauth2.token': 2, 'oauth2.exchange': 1 };
    // The first is answered 401; then counts around the list of records, and no tombstones.
    deepEqual(find.registry, { ...signIn, 'repository.get': 1 + 2 + 1, 'oci.tags.list': 1 });
    deepEqual(find.azure, { 'builds.list': 3, connectionData: 1 });
    equal(release.azure['builds.get'], 4);
    deepEqual(second, { ...find, registry: { ...signIn, 'repository.get': 1 + 2 + 2, 'oci.tags.list': 2 } });
    deepEqual([listing['oci.tags.list'], listing['manifests.list']], [20, 20]);
  });

  it('cleans in one run what was released before and what is gone since, and does nothing in the next', async () => {
    const budgets = { windowMs: 1000, Read: 1_000_000 };
    const world = { repositories: 10, builds: 60, images: 2, gone: 8, latencyMs: 0, budgets };
    const { whole, second, deleted } = await measureClean(world, cleanHere);
    equal(deleted, 8);
    deepEqual(whole.client.outcomes, { released: 8, deleted: 8 });
    deepEqual(second.client.outcomes, {});
    // Records, tombstones, and the images of the eight repositories in which some wait for the grace to be over.
    equal(second.requests['manifest.get'], 56 + 4 + 90);
    equal(second.requests['blob.get'], undefined);
    deepEqual(
      ['manifest.delete', 'tag.delete', 'referrers.list'].map(each => whole.requests[each]),
      // Beside the images the records and tombstones that are done.
      [8 + 2 * 4, 8, 8],
    );
  });

  it('waits as it is told, and deletes everything once', async () => {
    const budgets = { windowMs: 500, Read: 200, Write: 20, Delete: 20, ListReferrers: 3, OAuth: 100 };
    const figures = await measureScale({ builds: 5, living: 2, repositories: 2, budgets }, runHere);
    const { lost, doubled, harmed, leftovers, deleted } = figures;
    deepEqual(
      { lost, doubled, harmed, leftovers, deleted },
      { lost: 0, doubled: 0, harmed: 0, leftovers: 0, deleted: 12 },
    );
    ok(sumOf(figures.collect.throttled) > 0);
    for (const { throttled, client } of [figures.release, figures.collect]) {
      equal(client.waits.count, sumOf(throttled));
    }
  });

  it('promotes an image with five requests for each blob and seven more, and finds it there with one', async () => {
    const { cold, warm, coldSigned, warmSigned } = await measureRequests(5);
    const blobs = 6;
    equal(totalOf(cold), 5 * blobs + 7);
    equal(totalOf(warm), 1);
    deepEqual(warm.source, {});
    // The signature has a config and a layer of its own; lists of referrers and of tags are the source's.
    deepEqual([coldSigned.source['referrers.list'], coldSigned.source['oci.tags.list']], [2, 1]);
    deepEqual([warmSigned.source['referrers.list'], warmSigned.source['oci.tags.list']], [2, 1]);
    equal(warmSigned.target['manifest.head'], 2);
  });

  it('plans every image of a world that is read whole, the same way each time', () => {
    const world = { repositories: 10, images: 120, references: 12, containers: 50 };
    const [one, other] = [planHere(world), planHere(world)];
    equal(one.hash, other.hash);
    equal(one.keep + one.delete, 1200);
    ok(one.keep > 300 && one.delete > 300, `${one.keep} stay and ${one.delete} go`);
  });
});
