import assert from 'node:assert/strict';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('the life of an image', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('tags, records, releases, collects, and leaves nothing of the build', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('shop/app', { tags: ['push'] });
    acr.world.untag('shop/app', 'push');
    const id = await estate.build([{ repository: 'shop/app', reference: image.digest }]);
    assert.deepEqual(acr.world.tags('shop/app'), { [id]: image.digest });
    assert.equal((await estate.reconcile()).items.length, 0);

    ado.world.deleteBuild(id);
    const release = await estate.reconcile();
    assert.deepEqual(
      release.items.map(item => [item.subject, item.outcome]),
      [[`shop/app:${id}`, 'released']],
    );
    assert.deepEqual(acr.world.tags('shop/app'), {});
    assert.ok(acr.world.has('shop/app', image.digest), 'the manifest waits for the grace');

    estate.advance(day - hour);
    assert.deepEqual((await estate.reconcile()).items, []);
    assert.ok(acr.world.has('shop/app', image.digest));

    estate.advance(2 * hour);
    const collect = await estate.reconcile();
    assert.deepEqual(
      collect.items.map(item => [item.subject, item.outcome]),
      [[`shop/app@${image.digest}`, 'deleted']],
    );
    assert.deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
  });
});
