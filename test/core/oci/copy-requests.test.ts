import assert from 'node:assert/strict';
import { type Content, flatten, makeImage, makeIndex, makeSignature } from '../../support/images.ts';
import { digestTag, isManifest, makeCosignature, makeIndexOf } from '../../support/shapes.ts';
import { type CopyWorld, copyAll, errand, putShape, type Site, startCopyWorld } from './copy-world.ts';

/** What a registry was asked, apart from signing in: how often, by operation. */
function takeAsked({ acr }: Site): Record<string, number> {
  const asked: Record<string, number> = {};
  for (const { operation, status } of acr?.requests.all() ?? []) {
    if (operation.startsWith('oauth2.') || status === 401) continue;
    asked[operation] = (asked[operation] ?? 0) + 1;
  }
  acr?.requests.clear();
  return asked;
}

/** What each blob costs that is not there yet. */
function moves(blobs: number) {
  return {
    source: { 'blob.get': blobs, 'blob.data': blobs },
    target: { 'blob.head': blobs, 'upload.start': blobs, 'upload.finish': blobs },
  };
}

const bare = { referrers: false };

describe('the requests of a copy between registries of Azure', () => {
  let world: CopyWorld;
  let count = 0;
  before(async () => {
    world = await startCopyWorld();
  });
  beforeEach(() => {
    count += 1;
    takeAsked(world.source);
    takeAsked(world.target);
  });
  after(() => world.close());
  const name = () => `team/app${count}`;
  const asked = () => ({ source: takeAsked(world.source), target: takeAsked(world.target) });
  const copy = (root: Content, tags = ['v1'], options = {}) => copyAll([errand(world, name(), root, tags)], options);
  it('are, for an image that is not there, one look, one read, one write, and one look back, for it and for its tag', async () => {
    const root = makeImage('cold');
    await putShape(world.source, name(), { root });
    await copy(root, ['v1'], bare);
    const blobs = moves(4);
    assert.deepEqual(asked(), {
      source: { 'manifest.get': 1, ...blobs.source },
      target: { 'manifest.head': 3, ...blobs.target, 'manifest.put': 2, 'manifest.get': 1 },
    });
  });

  it('are, for an index that is not there, one look, one read and one write for each manifest', async () => {
    const root = makeIndexOf([makeIndex('cold'), makeImage('cold-too', { layers: 1 })]);
    await putShape(world.source, name(), { root });
    await copy(root, ['v1', 'v2'], bare);
    const manifests = flatten(root).filter(isManifest).length;
    const blobs = moves(flatten(root).length - manifests);
    assert.deepEqual(asked(), {
      source: { 'manifest.get': manifests, ...blobs.source },
      target: { 'manifest.head': 4 + manifests, ...blobs.target, 'manifest.put': manifests + 2, 'manifest.get': 1 },
    });
  });

  it('are one for each image and tag where all is there, whatever the images are made of', async () => {
    const roots = [makeImage('warm'), makeIndex('warm'), makeImage('warmer')];
    for (const root of roots) await putShape(world.source, name(), { root });
    const errands = roots.map((root, at) => errand(world, name(), root, [`v${at}`, `w${at}`]));
    await copyAll(errands, bare);
    asked();
    const { copied } = await copyAll(errands, bare);
    assert.deepEqual(asked(), { source: {}, target: { 'manifest.head': 6 } });
    assert.deepEqual(
      copied.map(({ tagged }) => tagged),
      [[], [], []],
    );
  });

  it('are, for referrers where all is there, one list for each manifest, one of the tags, and one look for each referrer', async () => {
    const root = makeIndex('signed');
    const [child = root] = root.parts;
    const referrers = [makeSignature(root), makeSignature(child)];
    const digestTags = { [digestTag(root, '.sig')]: makeCosignature(root, 'a key') };
    await putShape(world.source, name(), { root, referrers, digestTags });
    await copy(root);
    asked();
    await copy(root);
    const manifests = 3 + referrers.length + 1;
    assert.deepEqual(asked(), {
      // The index, and what refers to it: whether that is true stands in its bytes.
      source: {
        'manifest.get': 1 + referrers.length + 1,
        'referrers.list': manifests,
        'oci.tags.list': 1,
        'manifest.head': 1,
      },
      // The tag, each thing that was said, and the digest tag; and once in a run whether there is that API.
      target: { 'manifest.head': 1 + referrers.length + 1, 'manifest.get': 1, 'referrers.list': 1 },
    });
  });

  it('are, for a new tag on an image that is there, a look at both, and nothing of the source', async () => {
    const root = makeImage('known');
    await putShape(world.source, name(), { root });
    await copy(root, ['v1'], bare);
    asked();
    await copy(root, ['v1', 'v2'], bare);
    assert.deepEqual(asked(), { source: {}, target: { 'manifest.head': 4, 'manifest.get': 1, 'manifest.put': 1 } });
  });

  it('fill the hole of an index whose child was deleted, and bring nothing else', async () => {
    const root = makeIndex('hole');
    const [child = root, other = root] = root.parts;
    await putShape(world.source, name(), { root });
    await copy(root, ['v1'], bare);
    world.target.acr?.world.deleteManifest(name(), child.digest);
    asked();
    const { run } = await copy(root, ['v2'], bare);
    assert.ok(world.target.acr?.world.has(name(), child.digest));
    const blobs = moves(child.parts.length);
    assert.deepEqual(asked(), {
      source: { 'manifest.get': 2, ...blobs.source },
      target: { 'manifest.head': 5, ...blobs.target, 'manifest.put': 2, 'manifest.get': 1 },
    });
    assert.equal(run.tally.read().manifests, 1);
    assert.ok(world.target.acr?.world.has(name(), other.digest));
  });

  it('move a blob of two images in one repository once', async () => {
    const [one, two] = [makeImage('shared', { layers: 1 }), makeImage('shared', { layers: 2 })];
    for (const root of [one, two]) await putShape(world.source, name(), { root });
    const { run } = await copyAll([errand(world, name(), one, ['v1']), errand(world, name(), two, ['v2'])], bare);
    const blobs = new Set([...one.parts, ...two.parts].map(({ digest }) => digest)).size;
    assert.equal(blobs, one.parts.length + two.parts.length - 1);
    const { target } = asked();
    assert.deepEqual([target['blob.head'], target['upload.start'], target['upload.finish']], [blobs, blobs, blobs]);
    assert.equal(run.tally.read().blobs.copied, blobs);
  });

  it('move a blob of two images in two repositories once, and mount it in the second', async () => {
    const names = ['a', 'b'].map(end => `${name()}/${end}`);
    const roots = [makeImage('mounted', { layers: 1 }), makeImage('mounted', { layers: 2 })];
    const errands = names.map((repository, at) => errand(world, repository, roots[at]!, ['v1']));
    for (const [at, repository] of names.entries()) await putShape(world.source, repository, { root: roots[at]! });
    const { run } = await copyAll(errands, bare);
    const all = roots.flatMap(({ parts }) => parts);
    const once = new Set(all.map(({ digest }) => digest)).size;
    assert.equal(all.length, once + 1);
    const { source } = asked();
    assert.deepEqual([source['blob.get'], source['blob.data']], [once, once]);
    assert.deepEqual(run.tally.read().blobs, { present: 0, mounted: 1, copied: once });
    for (const [at, repository] of names.entries()) {
      for (const { digest } of roots[at]!.parts) assert.ok(await world.target.readBlob(repository, digest));
    }
  });

  it('change nothing and ask for no blob in a dry run, which counts what would move', async () => {
    const root = makeIndex('dry');
    await putShape(world.source, name(), { root, referrers: [makeSignature(root)] });
    const { run, copied } = await copy(root, ['v1'], { dryRun: true });
    const { source, target } = asked();
    const blobs = flatten(root).filter(each => !isManifest(each));
    assert.deepEqual(Object.keys(target).sort(), ['blob.head', 'manifest.head']);
    assert.equal('blob.get' in source, false);
    const { total, sent, left, manifests } = run.tally.read();
    const bytes = blobs.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const signature = makeSignature(root).parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    assert.deepEqual(
      { total, sent, left, manifests },
      { total: bytes + signature, sent: bytes + signature, left: 0, manifests: 4 },
    );
    assert.deepEqual(copied[0]?.tagged, ['v1']);
    assert.deepEqual(world.target.acr?.world.repositories().includes(name()), false);
  });
});

describe('the requests of a copy between registries without referrers', () => {
  let world: CopyWorld;
  before(async () => {
    world = await startCopyWorld({ source: 'docker-registry', target: 'docker-registry' });
  });
  after(() => world.close());

  it('are as many for an image, and for its referrers one question whether there is that API', async () => {
    const root = makeImage('docker');
    await putShape(world.source, 'team/app', { root });
    const once = errand(world, 'team/app', root);
    await copyAll([once]);
    assert.equal(world.sent().length, 2 + 1 + 4 * root.parts.length + 1 + 3 + 1 + 3);
    await copyAll([once], bare);
    assert.deepEqual(world.sent(), ['HEAD /v2/team/app/manifests/v1 200']);
  });
});
