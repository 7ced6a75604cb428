import assert from 'node:assert/strict';
import type { Digest } from '../../../core/oci/digest.ts';
import { ociManifest } from '../../../core/oci/media-types.ts';
import { type ImageSource, repositorySource } from '../../../core/oci/source.ts';
import { type Content, makeImage, makeIndex, makeSignature, pointTo } from '../../support/images.ts';
import { digestTag, makeArtifact } from '../../support/shapes.ts';
import { type CopyWorld, contentSource, copyAll, createWarnings, errand, startCopyWorld } from './copy-world.ts';
import { fails } from './world.ts';

describe('a copy from a source that lies about what refers to an image', () => {
  let world: CopyWorld;
  let count = 0;
  before(async () => {
    world = await startCopyWorld({ sourceBehaviour: { referrersPage: 2 } });
  });
  beforeEach(() => {
    count += 1;
    world.source.acr?.faults.clear();
  });
  after(() => world.close());
  const acr = () => world.target.acr!;
  const name = () => `team/app${count}`;
  const here = () => acr().world.tags(name());
  const copy = async (source: ImageSource, root: Content) => {
    const log = createWarnings();
    await copyAll([{ source, target: world.target.open(name()), root }], { log });
    return log.warnings;
  };

  it('leaves out what refers to something else, with a warning, and brings the rest', async () => {
    const [root, other] = [makeImage('true'), makeImage('other')];
    const [signature, strange, bare] = [makeSignature(root), makeSignature(other), makeImage('bare')];
    const all = [strange, signature, bare].map(pointTo);
    const listReferrers = async (digest: Digest) => (digest === root.digest ? all : []);
    const warnings = await copy(contentSource([root, signature, strange, bare], { listReferrers }), root);
    assert.deepEqual([here()['v1'], acr().world.has(name(), signature.digest)], [root.digest, true]);
    for (const { digest } of [strange, bare]) {
      assert.equal(acr().world.has(name(), digest), false);
      assert.ok(warnings.some(each => each.includes(`${digest} is listed, but refers to something else; left out`)));
    }
    assert.equal(warnings.length, 2);
  });

  it('leaves out what is gone, and what is of a media type that nobody knows', async () => {
    const root = makeImage('gone');
    const [gone, signature] = [makeArtifact('application/x-gone', { subject: root }), makeSignature(root)];
    const old = { ...pointTo(gone), mediaType: 'application/vnd.cncf.oras.artifact.manifest.v1+json' };
    const odd = { ...old, digest: makeImage('odd').digest };
    const listReferrers = async (digest: Digest) =>
      digest === root.digest ? [pointTo(gone), odd, pointTo(signature)] : [];
    const warnings = await copy(contentSource([root, signature], { listReferrers }), root);
    assert.deepEqual([here()['v1'], acr().world.has(name(), signature.digest)], [root.digest, true]);
    assert.match(warnings.join('\n'), new RegExp(`${gone.digest} is listed, but is not there; left out`));
    assert.match(
      warnings.join('\n'),
      new RegExp(`${odd.digest} is listed, but is of the media type .*oras.* left out`),
    );
  });

  it('comes to an end where everything is said to refer to everything', async () => {
    const root = makeIndex('circle');
    const signature = makeSignature(root);
    const listReferrers = async () => [root, ...root.parts, signature].map(pointTo);
    const warnings = await copy(contentSource([root, signature], { listReferrers }), root);
    assert.deepEqual([here()['v1'], acr().world.has(name(), signature.digest)], [root.digest, true]);
    assert.ok(warnings.every(each => each.endsWith('refers to something else; left out.')));
  });

  it('comes to an end where signatures of signatures do not, and tags nothing', async () => {
    const root = makeImage('endless');
    const made = new Map<Digest, Content>([[root.digest, root]]);
    const next = (digest: Digest): Content => {
      const signature = makeSignature({ digest, mediaType: ociManifest, bytes: Buffer.alloc(1), parts: [] });
      made.set(signature.digest, signature);
      return signature;
    };
    const source = contentSource([], {
      getManifest: async digest => contentSource([made.get(digest) ?? root]).getManifest(digest),
      listReferrers: async digest => [pointTo(next(digest))],
    });
    let brought = 0;
    const bring = async (): Promise<void> => {
      brought += 1;
    };
    const target = world.target.open(name());
    await fails(copyAll([{ source, target, root }], { bring }), 'TOO_LARGE');
    assert.deepEqual(here(), {});
    assert.ok(brought <= 5001, String(brought));
  });

  it('ends where the pages of a list lead back, or a list cannot be had, and tags nothing', async () => {
    const root = makeImage('pages');
    await world.source.put(name(), root, ['v1']);
    for (const type of ['a', 'b', 'c', 'd', 'e']) {
      await world.source.put(name(), makeArtifact(`application/x-${type}`, { subject: root }));
    }
    for (const [fault, code] of [
      [{ kind: 'repeated' }, 'REGISTRY_UNEXPECTED'],
      [{ kind: 'status', status: 500 }, 'REGISTRY_UNAVAILABLE'],
      [{ kind: 'status', status: 400 }, 'REGISTRY_UNEXPECTED'],
    ] as const) {
      world.source.acr?.faults.clear();
      world.source.acr?.faults.add({ operation: 'referrers.list' }, fault);
      await fails(copyAll([errand(world, name(), root)]), code);
      assert.deepEqual(here(), {});
    }
    world.source.acr?.faults.clear();
    world.source.acr?.faults.add({ operation: 'oci.tags.list' }, { kind: 'status', status: 500 });
    await fails(copyAll([errand(world, name(), root)]), 'REGISTRY_UNAVAILABLE');
    assert.deepEqual(here(), {});
  });

  it('ends where a digest tag names what is not there, and tags nothing', async () => {
    const root = makeImage('tagless');
    const listDigestTags = async (digest: Digest) =>
      digest === root.digest ? [{ tag: digestTag(root, '.sig'), digest: makeImage('gone').digest }] : [];
    const source = contentSource([root], { listDigestTags });
    await fails(copy(source, root), 'IMAGE_NOT_FOUND');
    assert.deepEqual(here(), {});
  });

  it('knows nothing of a digest tag that went between the list and the question', async () => {
    const root = makeImage('went');
    const signature = makeArtifact('application/x-went');
    await world.source.put(name(), root, ['v1']);
    await world.source.put(name(), signature, [digestTag(root, '.sig')]);
    world.source.acr?.faults.add({ operation: 'manifest.head', path: /sha256-/ }, { kind: 'status', status: 404 });
    assert.deepEqual(await copy(repositorySource(world.source.open(name())), root), []);
    assert.deepEqual(here(), { v1: root.digest });
  });

  it('takes a tag of that form on the image itself for what it is', async () => {
    acr().behaviour.referrers = false;
    const root = makeIndex('kept');
    await world.target.put(name(), root, [digestTag(root)]);
    const signature = makeSignature(root);
    await world.source.put(name(), root);
    await world.source.put(name(), signature);
    const warnings = await copy(repositorySource(world.source.open(name())), root);
    acr().behaviour.referrers = true;
    assert.deepEqual(here(), { v1: root.digest, [digestTag(root)]: root.digest });
    assert.ok(acr().world.has(name(), signature.digest));
    assert.match(warnings.join('\n'), /no list of referrers/);
  });

  it('brings no tag that names what it is on, which would hold the copy for ever', async () => {
    const root = makeIndex('own');
    const signature = makeArtifact('application/x-own');
    await world.source.put(name(), root, [digestTag(root), digestTag(root, '.imgpkg')]);
    await world.source.put(name(), signature, [digestTag(root, '.sig'), digestTag(signature, '.imgpkg')]);
    assert.deepEqual(await copy(repositorySource(world.source.open(name())), root), []);
    assert.deepEqual(here(), { v1: root.digest, [digestTag(root, '.sig')]: signature.digest });
  });
});
