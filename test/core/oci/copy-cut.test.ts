import assert from 'node:assert/strict';
import { hasCode } from '../../../core/base/errors.ts';
import type { Intercept } from '../../emulators/acr/faults.ts';
import { makeImage } from '../../support/images.ts';
import { blobsOf, digestTag, makeArtifact, makeIndexOf, manifestsOf, type Shape } from '../../support/shapes.ts';
import { brokenTags } from './copy-watch.ts';
import { type CopyWorld, copyAll, errand, onlyOnce, putShape, startCopyWorld } from './copy-world.ts';

const never = Number.POSITIVE_INFINITY;

/** Small, and of everything: an index, a referrer of its child, and a digest tag. */
function makeScene(): Shape {
  const image = makeImage('cut', { layers: 1 });
  const root = makeIndexOf([image]);
  return {
    root,
    referrers: [makeArtifact('application/vnd.signature', { subject: image, layers: [] })],
    digestTags: { [digestTag(root, '.att')]: makeArtifact('application/vnd.attestation', { layers: [] }) },
  };
}

for (const { title, referrers, moments } of [
  { title: 'with the referrers API', referrers: true, moments: ['before', 'after'] },
  { title: 'without it', referrers: false, moments: ['after'] },
] as const) {
  describe(`a copy into a registry ${title}, cut at any request`, function () {
    this.timeout(60_000);
    const shape = makeScene();
    let world: CopyWorld;
    before(async () => {
      world = await startCopyWorld({
        targetBehaviour: { takesIncomplete: true, referrers },
        retryPolicy: onlyOnce,
        connections: 4,
      });
      await putShape(world.source, 'team/app', shape);
    });
    after(() => world.close());

    const watched = (): string[] => {
      const acr = world.target.acr!;
      const broken = brokenTags(acr, 'team/app');
      // Whoever sees the tag sees all that was said about it, too.
      if (!acr.world.has('team/app', 'v1')) return broken;
      return [
        ...broken,
        ...manifestsOf(shape)
          .filter(({ digest }) => !acr.world.has('team/app', digest))
          .map(({ digest }) => digest),
      ];
    };

    /** Runs the copy and ends every connection from one request on; gives the number of requests, and what a reader saw. */
    const run = async (
      at: number,
      when: 'before' | 'after',
    ): Promise<{ requests: number; failed: boolean; seen: string[] }> => {
      let requests = 0;
      const seen: string[] = [];
      const cut: Intercept = (_, phase) => {
        seen.push(...watched());
        if (phase === 'before') requests += 1;
        const over = phase === 'before' ? requests > at || (requests === at && when === 'before') : requests >= at;
        return over ? 'cut' : 'proceed';
      };
      for (const { acr } of [world.source, world.target]) acr!.faults.intercept = cut;
      let failed = false;
      try {
        await copyAll([errand(world, 'team/app', shape.root, ['v1', 'v2'])]);
      } catch (thrown) {
        if (!hasCode(thrown, 'REGISTRY_UNAVAILABLE')) throw thrown;
        failed = true;
      }
      for (const { acr } of [world.source, world.target]) acr!.faults.clear();
      return { requests, failed, seen: [...new Set([...seen, ...watched()])] };
    };

    it('shows no tag on what is not whole, and ends the same when it runs again', async () => {
      const acr = world.target.acr!;
      // The first run signs in, the second shows what every later one asks.
      await run(never, 'before');
      acr.world.deleteRepository('team/app');
      const whole = await run(never, 'before');
      const expected = acr.world.snapshot().repositories['team/app'];
      assert.deepEqual([whole.failed, whole.seen, expected?.tags['v1']], [false, [], shape.root.digest]);
      assert.ok(whole.requests > 40, String(whole.requests));
      assert.deepEqual(
        acr.world.snapshot().blobs,
        blobsOf(shape)
          .map(({ digest }) => digest)
          .sort(),
      );
      let failures = 0;
      for (let at = 1; at <= whole.requests; at += 1) {
        for (const when of moments) {
          acr.world.deleteRepository('team/app');
          const first = await run(at, when);
          if (first.failed) failures += 1;
          const again = await run(never, 'before');
          assert.deepEqual(
            { at, when, seen: [...first.seen, ...again.seen], failed: again.failed },
            { at, when, seen: [], failed: false },
          );
          assert.deepEqual(acr.world.snapshot().repositories['team/app'], expected, `${at} ${when}`);
        }
      }
      assert.ok(failures >= moments.length * whole.requests - 2, `${failures} of ${whole.requests} cuts`);
    });
  });
}
