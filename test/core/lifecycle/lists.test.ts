import assert from 'node:assert/strict';
import type { FaultEffect, FaultMatch } from '../../emulators/acr/faults.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('lists that are not whole', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
    estate.acr.world.seedManifests('app', {
      manifests: 1200,
      tag: ordinal => `other-${ordinal}`,
      at: estate.acr.clock.now(),
    });
    id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
  });
  afterEach(() => estate.close());

  const manifests = (): number => estate.acr.world.manifests('app').length;

  /** With the fault nothing goes and the reason is told; without it the image goes at last. */
  const assertWaits = async (match: FaultMatch, effect: FaultEffect, reason: RegExp): Promise<void> => {
    const fault = estate.acr.faults.add(match, effect);
    const report = await estate.reconcile();
    assert.ok(fault.hits() > 0, 'the fault was met');
    assert.equal(manifests(), 1201);
    assert.match(report.items.map(item => item.reason).join('\n'), reason);
    fault.remove();
    estate.advance(2 * day);
    await estate.reconcile();
    assert.equal(manifests(), 1200);
    assert.deepEqual(estate.acr.world.repositories(), ['app']);
  };

  it('a truncated list of manifests', () =>
    assertWaits({ operation: 'manifests.list' }, { kind: 'truncated' }, /has 1201 manifests, but lists 1000/));

  it('a page that repeats the first', () =>
    assertWaits({ operation: 'manifests.list', path: /last=/ }, { kind: 'repeated' }, /lead back|lists 1000/));

  it('a list that hides a manifest', () => {
    const hidden = estate.acr.world.digest('app', 'other-7')!;
    return assertWaits(
      { operation: 'manifests.list' },
      { kind: 'hide', names: [hidden] },
      /has 1201 manifests, but lists 1200/,
    );
  });

  it('a page that breaks off in the middle of its body', () =>
    assertWaits({ operation: 'manifests.list' }, { kind: 'cut', when: 'body' }, /broke off/));

  it('an error on a later page', () =>
    assertWaits({ operation: 'manifests.list', path: /last=/ }, { kind: 'status', status: 500 }, /broke off/));

  it('a missing right to list', () =>
    assertWaits({ operation: 'manifests.list' }, { kind: 'status', status: 401 }, /no permission/));

  it('a manifest whose listing is switched off', async () => {
    estate.acr.world.setAttributes('app', 'other-7', { listEnabled: false });
    estate.acr.world.setAttributes('app', estate.acr.world.digest('app', 'other-7'), { listEnabled: false });
    const report = await estate.reconcile();
    assert.equal(manifests(), 1201);
    assert.match(report.items.map(item => item.reason).join('\n'), /some are hidden/);
  });

  it('a tag on the image whose listing is switched off', async () => {
    estate.acr.world.tag('app', 'secret', digest);
    estate.acr.world.setAttributes('app', 'secret', { listEnabled: false });
    const report = await estate.reconcile();
    assert.ok(estate.acr.world.has('app', 'secret'));
    assert.match(report.items.map(item => item.reason).join('\n'), /has 1201 tags, but lists 1200/);
  });

  it('an index that is listed, but cannot be read', async () => {
    const child = estate.acr.world.putImage('app');
    const index = estate.acr.world.putIndex('app', [child], { tags: ['index'], at: estate.acr.clock.now() });
    await assertIndexWaits(
      { operation: 'manifest.get', path: new RegExp(index.digest) },
      { kind: 'status', status: 404 },
    );
    await assertIndexWaits({ operation: 'manifest.get', path: new RegExp(index.digest) }, { kind: 'corrupt' });
  });

  const assertIndexWaits = async (match: FaultMatch, effect: FaultEffect): Promise<void> => {
    const fault = estate.acr.faults.add(match, effect);
    await estate.reconcile();
    assert.ok(fault.hits() > 0, 'the fault was met');
    assert.ok(estate.acr.world.has('app', digest));
    fault.remove();
    estate.advance(2 * day);
  };

  it('a manifest list that names only some of the tags of a digest', async () => {
    estate.acr.behaviour.tagsPerManifest = 1;
    const { world } = estate.acr;
    world.seedTags(
      'app',
      world.digest('app', 'other-1')!,
      Array.from({ length: 20 }, (_, at) => `more-${at}`),
      estate.acr.clock.now(),
    );
    await estate.reconcile();
    assert.equal(world.has('app', digest), false, 'the list of tags is whole, so the image goes');
    assert.equal(Object.keys(world.tags('app')).length, 1220);
  });

  it('a tag that neither list shows yet is seen when it is asked for right before the deletion', async () => {
    const fault = estate.acr.faults.add(
      { operation: ['manifests.list', 'tags.list', 'oci.tags.list', 'repository.get'], path: /^(?!.*digest=)/ },
      { kind: 'stale' },
    );
    estate.acr.world.tag('app', 'rescued', digest);
    const report = await estate.reconcile();
    assert.ok(fault.hits() > 0);
    assert.equal(estate.acr.world.tags('app')['rescued'], digest);
    assert.match(report.items.map(item => item.reason).join('\n'), /the tag "rescued" is on it/);
  });

  it('referrers that cannot be listed', () =>
    assertWaits({ operation: 'referrers.list' }, { kind: 'status', status: 503 }, /broke off|failed/));
});

describe('lists in another order', () => {
  it('loses no record of a build when tags are not listed in lexical order', async () => {
    const estate = await startEstate();
    try {
      const { acr, ado } = estate;
      const digests = ['a', 'b', 'c'].map(repository => acr.world.putImage(repository).digest);
      for (const reference of ['a', 'b', 'c'].keys()) {
        await estate.build([{ repository: 'abc'[reference]!, reference: digests[reference]! }], {
          id: [5, 47, 471][reference]!,
        });
      }
      acr.faults.add({ operation: 'oci.tags.list' }, { kind: 'unsorted' });
      const moved = acr.world.putImage('b').digest;
      await estate.tag(47, [{ repository: 'b', reference: moved }], { attempt: '2.1' });
      assert.equal(acr.world.tags('b')[47], moved, 'the earlier attempt was found');
      ado.world.deleteBuild(47);
      await estate.settle();
      assert.deepEqual(
        acr.world.repositories().filter(name => name.length === 1),
        ['a', 'c'],
      );
    } finally {
      await estate.close();
    }
  });
});

describe('lists of records and tombstones that are not whole', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
    id = await estate.build([{ repository: 'app', reference: digest }]);
  });
  afterEach(() => estate.close());

  it('a record that says "keep" and is hidden', async () => {
    const { acr, ado } = estate;
    const records = `image-lifecycle/builds/${estate.projectId}`;
    const own = Object.keys(acr.world.tags(records));
    await estate.tag(id, [{ repository: 'app', reference: digest }], { job: 'other', onBuildDeleted: 'keep' });
    const names = Object.keys(acr.world.tags(records)).filter(tag => !own.includes(tag));
    ado.world.deleteBuild(id);
    const before = acr.world.snapshot();
    const fault = acr.faults.add({ operation: 'oci.tags.list', repository: records }, { kind: 'hide', names });
    await assert.rejects(estate.reconcile(), /has 2 tags, but lists 1: some are hidden/);
    assert.deepEqual(acr.world.snapshot(), before);
    fault.remove();
    await estate.settle();
    assert.deepEqual(acr.world.tags('app'), { [id]: digest });
  });

  it('a list of tombstones that breaks off', async () => {
    const { acr, ado } = estate;
    const tombstones = `image-lifecycle/tombstones/${estate.projectId}`;
    ado.world.deleteBuild(id);
    await estate.reconcile();
    const [stone = ''] = acr.world.manifests(tombstones);
    const others = Array.from({ length: 1000 }, (_, at) => `0.${String(at).padStart(4, '0')}`);
    acr.world.seedTags(tombstones, stone, others);
    estate.advance(day);
    const before = acr.world.snapshot();
    acr.faults.add({ operation: 'oci.tags.list', repository: tombstones }, { kind: 'truncated' });
    await assert.rejects(estate.reconcile(), /has 1002 tags, but lists 1000: .*the list was cut/);
    assert.deepEqual(acr.world.snapshot(), before);
  });

  for (const [what, changes] of [
    ['five records that come while the list is read do not keep a run from', 5],
    ['a list of records that changes each time ends a run without', 6],
  ] as const) {
    it(`${what} releasing`, async () => {
      const { acr, ado } = estate;
      const records = `image-lifecycle/builds/${estate.projectId}`;
      ado.world.deleteBuild(id);
      let left = changes;
      acr.faults.intercept = ({ operation, repository }, phase) => {
        const isDue = operation === 'oci.tags.list' && repository === records && phase === 'before' && left > 0;
        if (isDue) acr.world.putImage(records, { tags: [`0.${(left -= 1)}`] });
        return 'proceed';
      };
      if (changes === 6) await assert.rejects(estate.reconcile(), /changed while it was listed, and so 5 times more\./);
      else await estate.reconcile();
      assert.deepEqual([left, Object.keys(acr.world.tags('app')).length], [0, changes === 6 ? 1 : 0]);
    });
  }
});
