/** A run by hints lists the hinted builds alone; where the brake needs the share of all builds, it lists all. */
import { equal, match } from 'node:assert/strict';
import { recordRepository } from '../../../core/lifecycle/build-record.ts';
import { type Estate, startEstate } from './estate.ts';

describe('a run by hints', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  async function makeDead(count: number): Promise<number[]> {
    const ids: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const { digest } = estate.acr.world.putImage('shop/app');
      ids.push(await estate.build([{ repository: 'shop/app', reference: digest }], { id: 1000 + n }));
    }
    for (const id of ids) estate.ado.world.deleteBuild(id);
    return ids;
  }

  function recordOthers(count: number): void {
    const { name } = recordRepository(estate.connect(), estate.projectId, []);
    const some = Object.values(estate.acr.world.tags(name))[0] ?? '';
    const tags = Array.from({ length: count }, (_, n) => `${5000 + n}.1.0`);
    estate.acr.world.seedTags(name, some, tags);
  }

  const hint = (buildId: number) => estate.reconcile({ only: [{ projectId: estate.projectId, buildId }] });

  async function measure(id: number): Promise<number> {
    estate.acr.requests.clear();
    await hint(id);
    return estate.acr.requests.count({ operation: 'oci.tags.list' });
  }

  it('is braked at the floor where builds are few', async () => {
    const ids = await makeDead(21);
    for (const id of ids.slice(0, 20)) equal((await hint(id)).braked, undefined);
    match((await hint(ids[20]!)).braked ?? '', /the limit is 500 images, brake.deleted.images, or 20 builds/);
  });

  it('passes the floor where builds are many, and is braked at their share', async () => {
    const ids = await makeDead(26);
    recordOthers(99);
    for (const id of ids.slice(0, 25)) equal((await hint(id)).braked, undefined, String(id));
    match((await hint(ids[25]!)).braked ?? '', /the limit is 500 images, brake.deleted.images, or 25 builds/);
  });

  it('asks for no page more where thousands of builds have records', async () => {
    const [zeroth = 0, first = 0, second = 0] = await makeDead(3);
    // Before it there are no tombstones to list.
    await hint(zeroth);
    const before = await measure(first);
    recordOthers(5000);
    equal(await measure(second), before);
  });
});
