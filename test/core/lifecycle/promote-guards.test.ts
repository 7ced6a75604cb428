import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { fails } from '../oci/world.ts';
import { type Stages, startStages } from './stages.ts';

const declining = async () =>
  ({ kind: 'declined', reason: 'status 403 (AuthorizationFailed)', isFinal: true }) as const;
const succeeding = async () => ({ kind: 'imported' }) as const;
const failing = async () => {
  throw new AppError('reported, but not there', { code: 'REGISTRY_UNEXPECTED' });
};

describe('what holds a promotion back', () => {
  let stages: Stages;
  beforeEach(async () => {
    stages = await startStages();
  });
  afterEach(() => stages.close());

  const build = async () => {
    const image = stages.ci.acr.world.putImage('app');
    return { image, id: await stages.ci.build([{ repository: 'app', reference: image.digest }]) };
  };

  for (const [how, end] of [
    ['was deleted', (id: number) => stages.ci.ado.world.deleteBuild(id)],
    ['does not exist', (id: number) => stages.ci.ado.world.purgeBuild(id)],
  ] as const) {
    it(`is a build that ${how}: nothing is written`, async () => {
      const { id } = await build();
      end(id);
      const { message } = await fails(stages.promote(id), 'BUILD_GONE');
      assert.match(message, new RegExp(`Build ${id} ${how}`));
      assert.deepEqual(stages.stage.world.repositories(), []);
    });
  }

  it('is a build that is deleted while its images move: none of them is tagged', async () => {
    const { id, image } = await build();
    stages.stage.faults.intercept = request => {
      if (request.operation === 'manifest.put' && request.repository === 'app') stages.ci.ado.world.deleteBuild(id);
      return 'proceed';
    };
    await fails(stages.promote(id), 'BUILD_GONE');
    assert.ok(stages.stage.world.has('app', image.digest));
    assert.deepEqual(stages.stage.world.tags('app'), {});
  });

  it('is not an Azure DevOps that says nothing: that is told once, and the images go', async () => {
    const { id, image } = await build();
    stages.ci.ado.faults.add({ operation: 'builds.get', effect: { kind: 'status', status: 403 } });
    const { said } = await stages.promote(id);
    assert.deepEqual(stages.stage.world.tags('app'), { [id]: image.digest });
    assert.equal(said.filter(line => line.includes('could not be seen')).length, 1);
  });

  it('is the stage before, where it has no record of a promotion', async () => {
    const { id } = await build();
    const gate = stages.connect(stages.ci.acr);
    const { message } = await fails(stages.promote(id, { gate }), 'NOT_PROMOTED');
    assert.match(message, /were not promoted to \S+ before, as requirePromotedTo wants: \S+\/app@sha256:/);
    assert.deepEqual(stages.stage.world.repositories(), []);
  });

  it('is the stage before, where the image that it recorded is not there any more', async () => {
    const { id, image } = await build();
    await stages.promote(id);
    const options = { gate: stages.connect(stages.stage), mapping: { prefix: 'next', renamed: new Map() } };
    await stages.promote(id, options);
    assert.deepEqual(stages.stage.world.tags('next/app'), { [id]: image.digest });
    stages.stage.world.deleteRepository('app');
    stages.stage.world.deleteRepository('next/app');
    await fails(stages.promote(id, options), 'NOT_PROMOTED');
    assert.ok(!stages.stage.world.has('next/app', image.digest));
  });

  it('is the stage before, where it had another attempt of the build', async () => {
    const { world } = stages.ci.acr;
    const [old, fresh] = [world.putImage('app'), world.putImage('app')];
    const id = await stages.ci.build([{ repository: 'app', reference: old.digest }], { attempt: '1.1' });
    await stages.promote(id);
    await stages.ci.tag(id, [{ repository: 'app', reference: fresh.digest }], { attempt: '1.2' });
    const options = { gate: stages.connect(stages.stage), mapping: { prefix: 'next', renamed: new Map() } };
    const { message } = await fails(stages.promote(id, options), 'NOT_PROMOTED');
    assert.ok(message.includes(fresh.digest) && !message.includes(old.digest));
  });

  it('goes from stage to stage: the second one takes what the first one recorded', async () => {
    const { id, image } = await build();
    await stages.promote(id);
    const { images } = await stages.promote(id, {
      from: stages.connect(stages.stage),
      gate: stages.connect(stages.stage),
      mapping: { prefix: 'next', renamed: new Map() },
      to: stages.connect(stages.ci.acr),
    });
    assert.equal(images[0]?.planned.image.source.label, `${stages.stage.host}/app`);
    assert.deepEqual(stages.ci.acr.world.tags('next/app'), { [id]: image.digest });
  });

  it('is an import that Azure declines, where nothing else is permitted; else one line says why, and it is copied', async () => {
    const { id, image } = await build();
    const importer = declining;
    const { message } = await fails(stages.promote(id, { importer, importOnly: true }), 'REGISTRY_DENIED');
    assert.match(message, /could not be imported: status 403 \(AuthorizationFailed\)\. Set method to auto/);
    assert.deepEqual(stages.stage.world.tags('app'), {});
    const { said, imported } = await stages.promote(id, { importer });
    assert.equal(said.filter(line => line.includes('without an import by Azure')).length, 1);
    assert.equal(imported.size, 0);
    assert.deepEqual(stages.stage.world.tags('app'), { [id]: image.digest });
  });

  it('is an import of a build cache: its index holds blobs, which nobody would miss, so it is copied', async () => {
    const { world } = stages.ci.acr;
    const layer = world.putBlob('cache', 'a layer of a cache');
    const index = world.putIndex('cache', [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: layer, size: 18 },
    ]);
    const id = await stages.ci.build([{ repository: 'cache', reference: index.digest }]);
    const importer = succeeding;
    const { imported } = await stages.promote(id, { importer });
    assert.equal(imported.size, 0);
    assert.ok(stages.stage.world.snapshot().blobs.includes(layer));
  });

  it('is an importer that finds the target without what was reported: nothing is tagged', async () => {
    const { id } = await build();
    const importer = failing;
    await fails(stages.promote(id, { importer }), 'REGISTRY_UNEXPECTED');
    assert.deepEqual(stages.stage.world.tags('app'), {});
  });
});
