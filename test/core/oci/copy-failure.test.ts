import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../../core/base/errors.ts';
import { type CopyProgress, createTally } from '../../../core/oci/copy-progress.ts';
import { ociLayer } from '../../../core/oci/media-types.ts';
import type { FaultEffect, FaultMatch } from '../../emulators/acr/faults.ts';
import { content, flatten, makeImage, makeSignature } from '../../support/images.ts';
import { makeArtifact } from '../../support/shapes.ts';
import { type CopyWorld, copyAll, type Errand, errand, startCopyWorld } from './copy-world.ts';
import { fails } from './world.ts';

const images = Array.from({ length: 9 }, (_, at) => makeImage(`app${at}`, { layers: 3 }));

function countSockets(): number {
  return process.getActiveResourcesInfo().filter(each => /^(TCP|TLS)/.test(each)).length;
}

function last(told: readonly CopyProgress[]) {
  const { sent, spared, total, left, blobs, manifests, images, imagesDone } = told.at(-1)!;
  return { sent, spared, total, left, blobs, manifests, images, imagesDone };
}

describe('a copy of several images that fails', () => {
  let world: CopyWorld;
  let errands: Errand[];
  beforeEach(async () => {
    world = await startCopyWorld();
    for (const [at, image] of images.entries()) {
      await world.source.put(`team/app${at}`, image, ['v1']);
      await world.source.put(`team/app${at}`, makeSignature(image));
    }
    errands = images.map((image, at) => errand(world, `team/app${at}`, image));
  });
  afterEach(() => world.close());

  /** Counts the requests of both registries: those that began, and those that are under way. */
  function watch(): { began: number; underWay: number } {
    const seen = { began: 0, underWay: 0 };
    for (const { acr } of [world.source, world.target]) {
      acr!.faults.intercept = (_, phase) => {
        if (phase === 'before') seen.began += 1;
        seen.underWay += phase === 'before' ? 1 : -1;
        return 'proceed';
      };
    }
    return seen;
  }

  /** Begins nothing after the failure was seen, and little after it happened. */
  async function assertEnds(match: FaultMatch, effect: FaultEffect, site: 'source' | 'target'): Promise<AppError> {
    world[site].acr!.faults.add(match, effect);
    const seen = watch();
    const thrown: unknown = await copyAll(errands).catch((reason: unknown) => reason);
    const { began, underWay } = seen;
    assert.equal(underWay, 0, 'something was left under way');
    for (let turns = 0; turns < 100; turns += 1) await nextTurn();
    assert.equal(seen.began, began, 'something began after the end');
    assert.deepEqual(
      world.target.acr?.world.repositories().flatMap(name => Object.keys(world.target.acr?.world.tags(name) ?? {})),
      [],
    );
    assert.ok(thrown instanceof AppError);
    return thrown;
  }

  for (const [what, match, site] of [
    ['a blob that cannot be put', { operation: 'upload.finish', nth: 5, count: 1e6 }, 'target'],
    ['a blob that cannot be read', { operation: 'blob.get', nth: 5, count: 1e6 }, 'source'],
    ['a manifest that cannot be put', { operation: 'manifest.put', nth: 2, count: 1e6 }, 'target'],
    ['a manifest that cannot be read', { operation: 'manifest.get', nth: 4, count: 1e6 }, 'source'],
    ['a list of referrers that cannot be had', { operation: 'referrers.list', nth: 2, count: 1e6 }, 'source'],
    ['a list of tags that cannot be had', { operation: 'oci.tags.list', nth: 2, count: 1e6 }, 'source'],
    ['a look that is refused', { operation: 'manifest.head', nth: 14, count: 1e6 }, 'target'],
  ] as const) {
    it(`ends with its first failure, and nothing of it is left under way: ${what}`, async () => {
      const thrown = await assertEnds(match, { kind: 'status', status: 400 }, site);
      assert.equal(thrown.code, 'REGISTRY_UNEXPECTED', thrown.message);
      // Each of the others that were under way asked for at most a few things more.
      const later = world[site].acr?.requests.count({ operation: match.operation, status: 400 }) ?? 0;
      assert.ok(later <= 24, `${later} more of them`);
    });
  }

  it('gives up a large blob that is on its way', async () => {
    const large = content(ociLayer, Buffer.alloc(2 * 1024 * 1024, 'large'));
    const root = makeArtifact('application/vnd.large', { layers: [large] });
    await world.source.put('team/large', root);
    const gate = new EventEmitter();
    const [begun, released] = [once(gate, 'begun'), once(gate, 'released')];
    world.source.acr!.faults.intercept = async ({ operation, reference }) => {
      if (operation !== 'blob.data' || reference !== large.digest) return 'proceed' as const;
      gate.emit('begun');
      await released;
      return 'cut' as const;
    };
    world.target.acr!.faults.intercept = async ({ operation }) => {
      if (operation === 'manifest.put') await begun;
      return 'proceed' as const;
    };
    world.target.acr!.faults.add({ operation: 'manifest.put' }, { kind: 'status', status: 400 });
    const thrown = await fails(copyAll([errand(world, 'team/large', root), ...errands]), 'REGISTRY_UNEXPECTED');
    gate.emit('released');
    assert.match(thrown.message, /team\/app\d, manifest .* answered 400/);
  });

  it('leaves no socket', async () => {
    const before = countSockets();
    const other = await startCopyWorld();
    await other.source.put('team/app', images[0]!);
    other.target.acr?.faults.add({ operation: 'upload.finish' }, { kind: 'status', status: 503 });
    await fails(copyAll([errand(other, 'team/app', images[0]!)]), 'REGISTRY_UNAVAILABLE');
    assert.ok(countSockets() > before);
    await other.close();
    for (let turns = 0; turns < 10; turns += 1) await nextTurn();
    assert.equal(countSockets(), before);
  });

  it('begins no other blob once one cannot be had', async () => {
    await assertEnds({ operation: 'upload.finish', nth: 5, count: 1e6 }, { kind: 'status', status: 400 }, 'target');
    const all = images.flatMap(image => image.parts).length;
    const began = world.target.acr?.requests.count({ operation: 'upload.start', status: 202 }) ?? 0;
    assert.ok(began < 36, `${began} of ${all}`);
  });

  it('tags none of them where one is not whole, or what must be asked before the tags says no', async () => {
    const refusal = new AppError('The build is gone.', { code: 'BUILD_GONE' });
    const seen = watch();
    const thrown = await fails(
      copyAll(errands, {
        beforeTags: async () => {
          assert.equal(seen.underWay, 0, 'everything is there by then');
          throw refusal;
        },
      }),
      'BUILD_GONE',
    );
    assert.equal(thrown, refusal);
    for (const [at, image] of images.entries()) {
      assert.ok(world.target.acr?.world.has(`team/app${at}`, image.digest));
      assert.deepEqual(world.target.acr?.world.tags(`team/app${at}`), {});
    }
  });

  it('ends where another job moves the tag at the same moment', async () => {
    const acr = world.target.acr!;
    const other = makeImage('other');
    await world.target.put('team/app3', other);
    acr.faults.intercept = ({ operation, reference, repository }, phase) => {
      const isTag = operation === 'manifest.put' && reference === 'v1' && repository === 'team/app3';
      if (isTag && phase === 'after') acr.world.tag('team/app3', 'v1', other.digest);
      return 'proceed';
    };
    const thrown = await fails(copyAll(errands), 'TAG_TAKEN');
    assert.match(thrown.message, /team\/app3:v1 was set to .* another job moves the same tag/);
    assert.equal(acr.world.digest('team/app3', 'v1'), other.digest);
  });

  it('does not tag what cannot be read back, or reads as something else', async () => {
    const acr = world.target.acr!;
    acr.faults.intercept = ({ operation, repository }, phase) => {
      if (operation === 'manifest.get' && repository === 'team/app2' && phase === 'before') {
        acr.world.deleteManifest('team/app2', images[2]!.digest);
      }
      return 'proceed';
    };
    const [, , errandOfTwo = errands[0]!] = errands;
    const thrown = await fails(copyAll([errandOfTwo]), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /cannot be read back.*not tagged/);
    acr.faults.clear();
    acr.faults.add({ operation: 'manifest.get' }, { kind: 'corrupt' });
    await fails(copyAll([errandOfTwo]), 'DIGEST_MISMATCH');
    assert.deepEqual(acr.world.tags('team/app2'), {});
  });
});

describe('the numbers of a copy', () => {
  let world: CopyWorld;
  const image = makeImage('counted', { layers: 3 });
  const bytes = image.parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
  beforeEach(async () => {
    world = await startCopyWorld();
    await world.source.put('team/app', image, ['v1']);
  });
  afterEach(() => world.close());
  const copy = async (): Promise<CopyProgress[]> => {
    const told: CopyProgress[] = [];
    await copyAll([errand(world, 'team/app', image)], { onProgress: progress => told.push(progress) });
    for (const { sent, spared, total, left } of told) {
      assert.ok(sent >= 0 && spared >= 0 && left >= 0);
      assert.equal(sent + spared + left, total);
    }
    return told;
  };
  const whole = { total: bytes, left: 0, images: 1, imagesDone: 1 };

  it('add up to all the bytes, sent or spared', async () => {
    assert.deepEqual(last(await copy()), {
      ...whole,
      sent: bytes,
      spared: 0,
      manifests: 1,
      blobs: { present: 0, mounted: 0, copied: 4 },
    });
    world.target.acr?.world.untag('team/app', 'v1');
    world.target.acr?.world.deleteManifest('team/app', image.digest);
    const [first = image, second = image] = image.parts;
    for (const part of [first, second]) await world.target.put('team/app', part);
    const spared = first.bytes.byteLength + second.bytes.byteLength;
    assert.deepEqual(last(await copy()), {
      ...whole,
      sent: bytes - spared,
      spared,
      manifests: 1,
      blobs: { present: 2, mounted: 0, copied: 2 },
    });
    assert.equal(flatten(image).length, 5);
  });

  it('count no byte twice of a blob that is begun again, and none of one that was there after all', () => {
    const tally = createTally();
    const [again, there] = [tally.begin(10), tally.begin(7)];
    for (const count of [6, 4, 6]) again.bytes(count);
    there.bytes(3);
    const read = (): number[] => [tally.read().sent, tally.read().spared, tally.read().left];
    assert.deepEqual(read(), [13, 0, 4]);
    again.end('copied');
    there.end('mounted');
    assert.deepEqual(read(), [10, 7, 0]);
  });

  for (const effect of [
    { kind: 'cut', when: 'after' },
    { kind: 'cut', when: 'before' },
    { kind: 'cut', when: 'body' },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 429, retryAfter: 1 },
  ] as const) {
    it(`count no byte twice that is sent again: ${JSON.stringify(effect)}`, async () => {
      world.target.acr?.faults.add({ operation: 'upload.finish', nth: 1, count: 3 }, effect);
      world.source.acr?.faults.add({ operation: 'blob.data', nth: 2, count: 2 }, effect);
      const { sent, spared, total } = last(await copy());
      assert.deepEqual({ sent, spared, total }, { sent: bytes, spared: 0, total: bytes });
    });
  }
});
