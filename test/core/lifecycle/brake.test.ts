import assert from 'node:assert/strict';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('the brake', () => {
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

  it('stops before the change that would pass the number of images, over all runs of a day', async () => {
    const ids = await seed(6);
    limit(3);
    for (const id of ids.slice(0, 2)) estate.ado.world.deleteBuild(id);
    assert.equal((await estate.reconcile()).braked, undefined);
    assert.equal(tagged(), 4);
    for (const id of ids.slice(2)) estate.ado.world.deleteBuild(id);
    const report = await estate.reconcile();
    assert.match(
      report.braked ?? '',
      /\(evidence "deleted"; the limit is 3 images, brake\.deleted\.images, or 20 builds, which may go whatever brake\.deleted\.percent says\)\.$/,
    );
    assert.equal(tagged(), 3);
    estate.advance(hour);
    assert.notEqual((await estate.reconcile()).braked, undefined, 'it holds as long as the day lasts');
    assert.equal(tagged(), 3);
    estate.advance(day);
    await estate.reconcile();
    assert.equal(tagged(), 0, 'the next day has its own limit');
  });

  it('stops at a share of the builds, but not below 20 of them', async () => {
    const ids = await seed(25);
    for (const id of ids) estate.ado.world.deleteBuild(id);
    const report = await estate.reconcile();
    assert.match(report.braked ?? '', /or 20 builds/);
    assert.equal(tagged(), 5);
  });

  it('says which share of how many builds the limit is, and the key of each limit', async () => {
    const ids = await seed(25);
    estate.rules = { ...estate.rules, brake: { ...defaultRules.brake, deleted: { images: 500, percent: 86 } } };
    for (const id of ids.slice(0, 22)) estate.ado.world.deleteBuild(id);
    const report = await estate.reconcile();
    assert.match(
      report.braked ?? '',
      /^The brake holds: releasing build \d+ would make 22 images of 22 builds in 24 hours \(evidence "deleted"; the limit is 500 images, brake\.deleted\.images, or 21 builds, 86 % of 25 on record, brake\.deleted\.percent\)\.$/,
    );
    assert.equal(tagged(), 4);
  });

  it('has a tighter limit for builds that are only absent', async () => {
    const ids = await seed(8);
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
    for (const id of ids) estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    const report = await estate.reconcile();
    assert.match(
      report.braked ?? '',
      /"absent"; the limit is 50 images, brake\.absent\.images, or 5 builds, which may go whatever brake\.absent\.percent/,
    );
    assert.equal(tagged(), 3);
  });

  it('lets an approved plan through, as far as a fresh one agrees', async () => {
    const ids = await seed(7);
    limit(1);
    estate.ado.world.deleteBuild(ids[6]!);
    await estate.reconcile();
    assert.equal(tagged(), 6, 'the limit of the day is reached');
    for (const id of ids.slice(0, 5)) estate.ado.world.deleteBuild(id);
    const dry = await estate.reconcile({ dryRun: true });
    assert.equal(tagged(), 6, 'a dry run changes nothing');
    assert.equal(dry.plan.release.length, 5, 'and lists everything');
    assert.notEqual(dry.braked, undefined);
    const release = dry.plan.release.filter(({ buildId }) => buildId !== ids[4]);
    delete estate.ado.world.builds.get(ids[0]!)!.deleted;
    const report = await estate.reconcile({ approved: { ...dry.plan, release } });
    assert.notEqual(report.braked, undefined, 'the fifth was not approved');
    // Builds are judged side by side, so the brake may hold before the last of the approved ones is reached.
    for (let runs = 0; runs < 4; runs += 1) await estate.reconcile({ approved: { ...dry.plan, release } });
    assert.deepEqual(Object.keys(estate.acr.world.tags('app')).map(Number), [ids[0], ids[4], ids[5]]);
  });

  it('a dry run changes nothing at collection either, and names what would go', async () => {
    const [id] = await seed(1);
    estate.ado.world.deleteBuild(id!);
    await estate.reconcile();
    estate.advance(25 * hour);
    const before = estate.acr.world.snapshot();
    const [digest] = estate.acr.world.manifests('app');
    const report = await estate.reconcile({ dryRun: true });
    assert.deepEqual(report.plan.collect, [`app@${digest}`]);
    assert.deepEqual(estate.acr.world.snapshot(), before);
  });

  it('a dry run writes nothing for an absence either', async () => {
    const [id] = await seed(1);
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
    estate.ado.world.purgeBuild(id!);
    const before = estate.acr.world.snapshot();
    await estate.reconcile({ dryRun: true });
    assert.deepEqual(estate.acr.world.snapshot(), before);
  });

  it('counts a day long, though the grace is shorter and the images are collected', async () => {
    const ids = await seed(4);
    limit(2);
    estate.rules = { ...estate.rules, graceMs: hour };
    for (const id of ids.slice(0, 2)) estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(2 * hour);
    await estate.reconcile();
    assert.equal(estate.acr.world.manifests('app').length, 2, 'collected');
    for (const id of ids.slice(2)) estate.ado.world.deleteBuild(id);
    estate.advance(hour);
    assert.notEqual((await estate.reconcile()).braked, undefined);
    assert.equal(tagged(), 2);
    estate.advance(24 * hour);
    assert.equal((await estate.reconcile()).braked, undefined, 'the next day has its own limit');
    assert.equal(tagged(), 0);
  });

  it('lets no build through that is only approved of another project', async () => {
    const ids = await seed(2);
    limit(1);
    for (const id of ids) estate.ado.world.deleteBuild(id);
    const release = ids.map(buildId => ({ projectId: '11111111-1111-4111-8111-111111111111', buildId, images: 9 }));
    const report = await estate.reconcile({ approved: { release, collect: [] } });
    assert.match(report.braked ?? '', /limit is 1 images/);
    assert.equal(tagged(), 1);
  });

  it('stops the collection too', async () => {
    const ids = await seed(3);
    limit(1);
    estate.ado.world.deleteBuild(ids[0]!);
    await estate.reconcile();
    estate.advance(25 * hour);
    for (const id of ids.slice(1)) estate.ado.world.deleteBuild(id);
    assert.notEqual((await estate.reconcile()).braked, undefined);
    assert.equal(estate.acr.world.manifests('app').length, 3, 'nothing is collected before somebody looked');
  });

  it('is told by a dry run, which writes nothing for a build that says "keep" either', async () => {
    const { digest } = estate.acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: digest }], { onBuildDeleted: 'keep' });
    estate.ado.world.deleteBuild(id);
    const before = estate.acr.world.snapshot();
    await estate.reconcile({ dryRun: true });
    assert.deepEqual(estate.acr.world.snapshot(), before);
  });

  it('holds an approved build that names more images by then', async () => {
    limit(1);
    const make = (name: string) => ({ repository: name, reference: estate.acr.world.putImage(name).digest });
    const id = await estate.build([make('one'), make('two')]);
    estate.ado.world.deleteBuild(id);
    const dry = await estate.reconcile({ dryRun: true });
    assert.deepEqual(dry.plan.release, [{ projectId: estate.projectId, buildId: id, images: 2 }]);
    await estate.tag(id, [make('three')], { job: 'late' });
    assert.notEqual((await estate.reconcile({ approved: dry.plan })).braked, undefined);
    assert.deepEqual(Object.keys(estate.acr.world.tags('one')), [String(id)]);
  });
});
