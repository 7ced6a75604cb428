/** Where the brake's bounds lie, and what a dry run leaves. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import { type Estate, hour, startEstate } from './estate.ts';

describe('the bounds of the brake', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  const seed = async (count: number): Promise<number[]> => {
    const ids: number[] = [];
    for (let at = 0; at < count; at += 1) {
      ids.push(await estate.build([{ repository: 'app', reference: estate.acr.world.putImage('app').digest }]));
    }
    return ids;
  };
  const tagged = (): number => Object.keys(estate.acr.world.tags('app')).length;
  const limit = (images: number): void => {
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images, percent: 100 } } };
  };

  it('last a day, though the grace is shorter and the images are collected', async () => {
    const ids = await seed(4);
    limit(2);
    estate.rules = { ...estate.rules, graceMs: hour };
    for (const id of ids.slice(0, 2)) estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(2 * hour);
    await estate.reconcile();
    equal(estate.acr.world.manifests('app').length, 2, 'collected');
    for (const id of ids.slice(2)) estate.ado.world.deleteBuild(id);
    estate.advance(hour);
    notEqual((await estate.reconcile()).braked, undefined);
    equal(tagged(), 2);
    estate.advance(24 * hour);
    equal((await estate.reconcile()).braked, undefined, 'the next day has its own limit');
    equal(tagged(), 0);
  });

  it('let no build through that is only approved of another project', async () => {
    const ids = await seed(2);
    limit(1);
    for (const id of ids) estate.ado.world.deleteBuild(id);
    const release = ids.map(buildId => ({ projectId: '11111111-1111-4111-8111-111111111111', buildId }));
    const report = await estate.reconcile({ approved: { release, collect: [] } });
    match(report.braked ?? '', /limit is 1 images/);
    equal(tagged(), 1);
  });

  it('stop the collection too', async () => {
    const ids = await seed(3);
    limit(1);
    estate.ado.world.deleteBuild(ids[0]!);
    await estate.reconcile();
    estate.advance(25 * hour);
    for (const id of ids.slice(1)) estate.ado.world.deleteBuild(id);
    notEqual((await estate.reconcile()).braked, undefined);
    equal(estate.acr.world.manifests('app').length, 3, 'nothing is collected before somebody looked');
  });

  it('are told by a dry run, which writes nothing for a build that says "keep" either', async () => {
    const { digest } = estate.acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }], { onBuildDeleted: 'keep' });
    estate.ado.world.deleteBuild(id);
    const before = estate.acr.world.snapshot();
    await estate.reconcile({ dryRun: true });
    deepEqual(estate.acr.world.snapshot(), before);
  });
});
