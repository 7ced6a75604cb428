/** A tombstone that cannot be read is that build's trouble alone. */
import { deepEqual, match, ok } from 'node:assert/strict';
import { type Estate, hour, startEstate } from './estate.ts';

describe('a tombstone that cannot be read', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('protects the images of its build, is told, and the other builds are collected all the same', async () => {
    const { acr, ado } = estate;
    const digests = ['one', 'two'].map(name => acr.world.putImage(name).digest);
    const first = await estate.build([{ repository: 'one', reference: digests[0]! }]);
    const second = await estate.build([{ repository: 'two', reference: digests[1]! }]);
    for (const id of [first, second]) ado.world.deleteBuild(id);
    await estate.reconcile();
    const repository = `image-lifecycle/tombstones/${estate.projectId}`;
    const stones = Object.entries(acr.world.tags(repository));
    const [, other] = stones.find(([tag]) => tag.startsWith(`${second}.`))!;
    for (const [tag] of stones.filter(([tag]) => tag.startsWith(`${first}.`))) acr.world.tag(repository, tag, other);
    estate.advance(25 * hour);
    const report = await estate.reconcile();
    match(report.items.map(item => item.reason).join('\n'), new RegExp(`is not a tombstone of build ${first}`));
    deepEqual(acr.world.manifests('two'), []);
    ok(acr.world.has('one', digests[0]!));
  });
});
