import assert from 'node:assert/strict';
import { readPromotable } from '../../../core/lifecycle/promotable.ts';
import { fails } from '../oci/world.ts';
import { recordsIn } from './records-in.ts';
import { type Stages, startStages } from './stages.ts';

describe('promoting a build', () => {
  let stages: Stages;
  beforeEach(async () => {
    stages = await startStages();
  });
  afterEach(() => stages.close());

  /** An index of two platforms with a signature, and an image. */
  const push = () => {
    const { world } = stages.ci.acr;
    const index = world.putIndex('shop/api', [world.putImage('shop/api'), world.putImage('shop/api')]);
    const signature = world.putArtifact('shop/api', { artifactType: 'application/vnd.sig', subject: index });
    const image = world.putImage('shop/web');
    return { index, signature, image };
  };
  const build = async (options = {}) => {
    const pushed = push();
    const images = [
      { repository: 'shop/api', reference: pushed.index.digest },
      { repository: 'shop/web', reference: pushed.image.digest },
    ];
    return { ...pushed, id: await stages.ci.build(images, options) };
  };

  it('brings the recorded digests, with what refers to them, under the build tag', async () => {
    const { id, index, signature, image } = await build();
    const { images } = await stages.promote(id);
    const { world } = stages.stage;
    assert.deepEqual(world.tags('shop/api'), { [id]: index.digest });
    assert.deepEqual(world.tags('shop/web'), { [id]: image.digest });
    assert.ok(world.has('shop/api', signature.digest));
    assert.deepEqual(
      images.map(each => [each.planned.image.target.name, each.tagged, each.referrers]),
      [
        ['shop/api', [String(id)], [signature.digest]],
        ['shop/web', [String(id)], []],
      ],
    );
    const bytes = (acr: typeof stages.stage, digest: string) => acr.world.manifest('shop/api', digest)?.bytes;
    for (const digest of stages.ci.acr.world.manifests('shop/api')) {
      assert.deepEqual(bytes(stages.stage, digest), bytes(stages.ci.acr, digest));
    }
  });

  it('writes the record of the build into the stage before anything else, with the names that it has there', async () => {
    const { id, index } = await build();
    await stages.promote(id, { mapping: { prefix: 'prod', renamed: new Map() }, tags: ['{buildNumber}', '{branch}'] });
    const [record, ...more] = await recordsIn(stages.connect(stages.stage), stages.ci.projectId, id);
    assert.equal(more.length, 0);
    assert.equal(record?.promotedFrom, stages.ci.acr.host);
    assert.deepEqual(record?.promotedBy, {
      projectId: stages.ci.projectId,
      definitionId: 99,
      runId: 5000,
      stage: 'production',
    });
    const number = stages.ci.ado.world.builds.get(id)?.number ?? '';
    assert.deepEqual(
      record?.images.map(each => [each.repository, each.digest, each.tags]),
      [
        ['prod/shop/api', index.digest, [String(id), number, 'main']],
        ['prod/shop/web', record.images[1]?.digest, [String(id), number, 'main']],
      ],
    );
    const writes = stages.stage.requests.all().filter(each => each.method === 'PUT' || each.method === 'POST');
    const first = writes.filter(each => !each.operation.startsWith('oauth2'))[0];
    assert.match(first?.path ?? '', /image-lifecycle\/builds\//);
  });

  it('moves nothing and records nothing the second time', async () => {
    const { id } = await build();
    await stages.promote(id);
    const before = stages.stage.world.snapshot();
    stages.stage.requests.clear();
    const { images, records, run } = await stages.promote(id);
    assert.deepEqual(stages.stage.world.snapshot(), before);
    assert.deepEqual([images.map(each => each.tagged), records], [[[], []], []]);
    assert.equal(run.tally.read().total, 0);
    const methods = stages.stage.requests.all().filter(each => !each.operation.startsWith('oauth2'));
    assert.deepEqual([...new Set(methods.map(each => each.method))].sort(), ['GET', 'HEAD']);
  });

  it('carries a signature that came later', async () => {
    const { id, index } = await build();
    await stages.promote(id);
    const later = stages.ci.acr.world.putArtifact('shop/api', { artifactType: 'application/vnd.sbom', subject: index });
    const { images } = await stages.promote(id);
    assert.ok(stages.stage.world.has('shop/api', later.digest));
    assert.ok(images[0]?.referrers.includes(later.digest as never));
  });

  it('shows what would move and changes nothing, in a dry run', async () => {
    const { id } = await build();
    const before = stages.stage.world.snapshot();
    const { run, images } = await stages.promote(id, { dryRun: true });
    assert.deepEqual(stages.stage.world.snapshot(), before);
    const { sent, spared, total, blobs, manifests } = run.tally.read();
    assert.equal(sent, total - spared);
    // Two platforms and an image with a config and a layer each; of the signature the two are the same bytes.
    assert.deepEqual([blobs.copied, manifests], [7, 5]);
    assert.deepEqual(
      images.map(each => each.tagged),
      [[String(id)], [String(id)]],
    );
    const methods = stages.stage.requests.all().filter(each => !each.operation.startsWith('oauth2'));
    assert.deepEqual([...new Set(methods.map(each => each.method))].sort(), ['HEAD']);
  });

  it('brings what was recorded, wherever the tag has moved since', async () => {
    const { id, image } = await build();
    const other = stages.ci.acr.world.putImage('shop/web');
    await stages.promote(id, {
      afterPlan: () => stages.ci.acr.world.tag('shop/web', String(id), other.digest),
    });
    assert.deepEqual(stages.stage.world.tags('shop/web'), { [id]: image.digest });
    assert.ok(!stages.stage.world.has('shop/web', other.digest));
  });

  it('takes the newest attempt of each job, and all of its steps', async () => {
    const { world } = stages.ci.acr;
    const [old, fresh, lone] = [world.putImage('app'), world.putImage('app'), world.putImage('tool')];
    const id = await stages.ci.build([{ repository: 'app', reference: old.digest }], { job: 'a', attempt: '1.1' });
    await stages.ci.tag(id, [{ repository: 'tool', reference: lone.digest }], { job: 'b', attempt: '1.1' });
    await stages.ci.tag(id, [{ repository: 'app', reference: fresh.digest }], { job: 'a', attempt: '1.2' });
    const { images } = await stages.promote(id);
    assert.deepEqual(
      new Map(images.map(({ planned: { image } }) => [image.target.name, image.root])),
      new Map([
        ['app', fresh.digest],
        ['tool', lone.digest],
      ]),
    );
  });

  it('takes of two images of one repository the one that the build tag is on, and guesses nothing without it', async () => {
    const { world } = stages.ci.acr;
    const [one, two] = [world.putImage('app'), world.putImage('app')];
    const id = await stages.ci.build([{ repository: 'app', reference: one.digest }], { job: 'a' });
    await stages.ci.tag(id, [{ repository: 'app', reference: two.digest }], { job: 'b', overwrite: true });
    const { images } = await stages.promote(id);
    assert.deepEqual(
      images.map(({ planned }) => planned.image.root),
      [two.digest],
    );
    world.untag('app', String(id));
    const thrown = await fails(stages.promote(id), 'INPUT_INVALID');
    assert.match(thrown.message, /app: sha256:[^ ]+, sha256:[^ ]+\. The build's tag is on none of them/);
  });

  it('names the builds that are recorded where the one that was asked for is not', async () => {
    const first = await build();
    const unrecorded = stages.ci.ado.world.addBuild({ definitionId: stages.ci.definitionId });
    const { message } = await fails(stages.promote(unrecorded.id), 'RECORD_NOT_FOUND');
    assert.match(message, new RegExp(`no record of build ${unrecorded.id} .*records of are ${first.id}\\.`));
    assert.deepEqual(stages.stage.world.repositories(), []);
  });

  it('stops where a record cannot be read: what it names would be missing', async () => {
    const { id } = await build();
    const name = `image-lifecycle/builds/${stages.ci.projectId}`;
    stages.ci.acr.world.putArtifact(name, {
      artifactType: 'application/vnd.image-lifecycle.build.v1+json',
      content: '{"schema":9}',
      tags: [`${id}.${stages.ci.definitionId}.abc`],
    });
    await fails(stages.promote(id), 'RECORD_UNREADABLE');
    assert.deepEqual(stages.stage.world.repositories(), []);
  });

  it('leaves out the record of another pipeline that claims the build, and says so', async () => {
    const { id, image } = await build();
    const { world } = stages.ci.acr;
    const [record] = await readPromotable(
      stages.connect(stages.ci.acr),
      {
        collectionId: stages.ci.ado.collectionId,
        projectId: stages.ci.projectId,
        definitionId: stages.ci.definitionId,
        buildId: id,
      },
      { debug: () => {}, info: () => {}, warn: () => {} },
    );
    const forged = world.putImage('shop/web');
    world.putArtifact(`image-lifecycle/builds/${stages.ci.projectId}`, {
      artifactType: 'application/vnd.image-lifecycle.build.v1+json',
      content: JSON.stringify({
        ...record,
        build: { ...record?.build, definitionId: 77 },
        images: [{ ...record?.images[1], digest: forged.digest }],
      }),
      tags: [`${id}.77.abc`],
    });
    const { said } = await stages.promote(id);
    assert.deepEqual(stages.stage.world.tags('shop/web'), { [id]: image.digest });
    assert.match(said.join('\n'), /left out: it is of pipeline 77, and the build is of pipeline/);
  });

  it('lets nobody smuggle a record or a tombstone into the stage as an image', async () => {
    const { world } = stages.ci.acr;
    const repository = `image-lifecycle/tombstones/${stages.ci.projectId}`;
    const forged = world.putArtifact(repository, { artifactType: 'application/vnd.image-lifecycle.tombstone.v1+json' });
    const id = await stages.ci.build([{ repository, reference: forged.digest }]);
    const { message } = await fails(stages.promote(id), 'INPUT_INVALID');
    assert.match(message, /where records are kept/);
    assert.deepEqual(stages.stage.world.repositories(), []);
  });
});
