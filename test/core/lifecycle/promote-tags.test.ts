import assert from 'node:assert/strict';
import { fails } from '../oci/world.ts';
import { type PromotionOptions, type Stages, startStages } from './stages.ts';

describe('tags of a promotion', () => {
  let stages: Stages;
  before(async () => {
    stages = await startStages();
  });
  after(() => stages.close());
  afterEach(() => {
    for (const acr of [stages.ci.acr, stages.stage]) {
      for (const name of acr.world.repositories()) acr.world.deleteRepository(name);
    }
  });

  const build = async (repository = 'app') => {
    const image = stages.ci.acr.world.putImage(repository);
    return { image, id: await stages.ci.build([{ repository, reference: image.digest }]) };
  };

  it('that are on another image are an error before anything is changed', async () => {
    const { image, id } = await build();
    const other = stages.stage.world.putImage('app', { tags: ['main'], layers: ['the stage has its own'] });
    const before = stages.stage.world.snapshot();
    const { message } = await fails(stages.promote(id, { tags: ['{branch}'] }), 'TAG_TAKEN');
    assert.match(message, new RegExp(`app:main is on ${other.digest}, and ${image.digest} was to get it`));
    assert.deepEqual(stages.stage.world.snapshot(), before);
  });

  it('are moved where the user wants that, and only those', async () => {
    const { image, id } = await build();
    const other = stages.stage.world.putImage('app', { tags: ['main', 'stable'], layers: ['the stage has its own'] });
    const { images } = await stages.promote(id, { tags: ['{branch}'], onExistingTag: 'overwrite' });
    assert.deepEqual(stages.stage.world.tags('app'), { [id]: image.digest, main: image.digest, stable: other.digest });
    assert.deepEqual(images[0]?.planned.moves, [{ tag: 'main', from: other.digest }]);
  });

  it('that are there on the same image are fine, or an error where the user wants that', async () => {
    const { id } = await build();
    await stages.promote(id);
    const before = stages.stage.world.snapshot();
    const { message } = await fails(stages.promote(id, { onExistingTag: 'fail' }), 'TAG_TAKEN');
    assert.match(message, new RegExp(`app:${id} is there already, on the same image`));
    assert.deepEqual(stages.stage.world.snapshot(), before);
    await stages.promote(id);
    assert.deepEqual(stages.stage.world.snapshot(), before);
  });

  it('are not put on anything when one of several images cannot be brought', async () => {
    const { world } = stages.ci.acr;
    const [one, two] = [world.putImage('one'), world.putImage('two')];
    const id = await stages.ci.build([
      { repository: 'one', reference: one.digest },
      { repository: 'two', reference: two.digest },
    ]);
    const afterPlan = (): void => void world.deleteManifest('two', two.digest);
    await fails(stages.promote(id, { afterPlan }), 'IMAGE_NOT_FOUND');
    assert.deepEqual([stages.stage.world.tags('one'), stages.stage.world.tags('two')], [{}, {}]);
  });

  it('are never on an image that is not whole, and a rerun after a cut at any request ends the same', async function () {
    this.timeout(120_000);
    const { world } = stages.ci.acr;
    const index = world.putIndex('app', [world.putImage('app'), world.putImage('app')]);
    world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index });
    const id = await stages.ci.build([{ repository: 'app', reference: index.digest }]);
    const graph = world.manifests('app');
    let expected: unknown;
    for (let at = 1; ; at += 1) {
      let count = 0;
      stages.stage.faults.intercept = (_request, phase) => {
        if (phase === 'before') return count >= at ? 'cut' : 'proceed';
        count += 1;
        const tags = stages.stage.world.tags('app');
        for (const tag of Object.keys(tags)) {
          assert.ok(
            graph.every(digest => stages.stage.world.has('app', digest)),
            `${tag} is there too early`,
          );
        }
        return count === at ? 'cut' : 'proceed';
      };
      const whole = await stages.promote(id).then(
        () => true,
        () => false,
      );
      stages.stage.faults.clear();
      if (!whole) await stages.promote(id);
      const { repositories } = stages.stage.world.snapshot();
      expected ??= repositories['app'];
      assert.deepEqual(repositories['app'], expected, `after a cut at request ${at}`);
      for (const name of stages.stage.world.repositories()) stages.stage.world.deleteRepository(name);
      if (whole) break;
    }
    assert.deepEqual(expected, { tags: { [id]: index.digest }, manifests: [...graph].sort() });
  });

  it('are the same when two promotions of the build run at once', async () => {
    const { world } = stages.ci.acr;
    const index = world.putIndex('app', [world.putImage('app'), world.putImage('app')]);
    const id = await stages.ci.build([{ repository: 'app', reference: index.digest }]);
    await Promise.all([stages.promote(id), stages.promote(id), stages.promote(id)]);
    assert.deepEqual(stages.stage.world.tags('app'), { [id]: index.digest });
    assert.deepEqual(stages.stage.world.manifests('app').sort(), world.manifests('app').sort());
  });

  const wrong: [what: string, options: PromotionOptions, message: RegExp][] = [
    [
      'two images for one place',
      { mapping: { prefix: '', renamed: new Map([['one', 'two']]) } },
      /are to go to \S+\/two/,
    ],
    ['no repository', { mapping: { prefix: 'A', renamed: new Map() } }, /"A\/one", which is not a repository/],
    ['a tag that is none', { tags: [`{branch}${'x'.repeat(126)}`] }, /is not a tag/],
  ];
  for (const [what, options, message] of wrong) {
    it(`are not looked at with ${what}`, async () => {
      const { world } = stages.ci.acr;
      const images = ['one', 'two'].map(repository => ({ repository, reference: world.putImage(repository).digest }));
      const id = await stages.ci.build(images);
      stages.stage.requests.clear();
      assert.match((await fails(stages.promote(id, options), 'INPUT_INVALID')).message, message);
      assert.deepEqual(stages.stage.requests.all(), []);
    });
  }

  it('go under another name inside one registry, and never onto where the image comes from', async () => {
    const { image, id } = await build();
    const to = stages.connect(stages.ci.acr);
    assert.match((await fails(stages.promote(id, { to }), 'INPUT_INVALID')).message, /is where the image comes from/);
    const options = { to, mapping: { prefix: 'prod', renamed: new Map() } };
    const { run } = await stages.promote(id, options);
    assert.deepEqual(stages.ci.acr.world.tags('prod/app'), { [id]: image.digest });
    assert.deepEqual(run.tally.read().blobs, { present: 0, mounted: 2, copied: 0 });
    // The copies here are not what the build made, so they are not promoted again.
    const { images } = await stages.promote(id, options);
    assert.equal(images.length, 1);
  });
});
