/** The grace lies between the tag that is taken off and the image that is deleted. */
import { deepEqual, ok } from 'node:assert/strict';
import { type Estate, hour, startEstate } from './estate.ts';

describe('the grace', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('begins when the tags are off, however long the release was interrupted', async () => {
    const { acr, ado } = estate;
    const { digest } = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    ado.world.deleteBuild(id);
    const fault = acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status: 500 });
    await estate.reconcile();
    fault.remove();
    estate.advance(25 * hour);
    await estate.reconcile();
    deepEqual(acr.world.tags('app'), {}, 'the release went on');
    estate.advance(hour);
    await estate.reconcile();
    ok(acr.world.has('app', digest), 'untagged an hour ago, the image can still be tagged again');
    estate.advance(25 * hour);
    await estate.reconcile();
    estate.advance(25 * hour);
    await estate.reconcile();
    deepEqual(acr.world.repositories(), []);
  });

  it('begins when the tags are off also where it is shorter than the interruption of a release may be', async () => {
    const { acr, ado } = estate;
    const minute = hour / 60;
    estate.rules = { ...estate.rules, graceMs: 30 * minute };
    const { digest } = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.advance(hour);
    ado.world.deleteBuild(id);
    const fault = acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status: 500 });
    await estate.reconcile();
    fault.remove();
    estate.advance(50 * minute);
    await estate.reconcile();
    deepEqual(acr.world.tags('app'), {}, 'the release went on');
    estate.advance(minute);
    await estate.reconcile();
    ok(acr.world.has('app', digest), 'untagged a minute ago, the image can still be tagged again');
    estate.advance(30 * minute);
    await estate.reconcile();
    ok(!acr.world.has('app', digest));
  });
});
