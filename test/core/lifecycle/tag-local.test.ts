/** Images that are not in the registry yet: the record first and whole, then what they are made of, and the tags last. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageToTag } from '../../../core/lifecycle/tag.ts';
import { openDockerArchive } from '../../../core/oci/docker-archive.ts';
import { openImage } from '../../../core/oci/image-store.ts';
import { openLayout } from '../../../core/oci/layout.ts';
import { openFolder } from '../../../tasks/agent/folder.ts';
import { openTar } from '../../../tasks/agent/tar-archive.ts';
import type { LoggedRequest } from '../../emulators/acr/request-log.ts';
import { makeFolder, writeOldDockerArchive, writeShape } from '../../support/archives.ts';
import { makeImage, makeIndex, makeSignature, makeTar } from '../../support/images.ts';
import { blobsOf, digestTag, makeCosignature, manifestsOf, type Shape } from '../../support/shapes.ts';
import { type Estate, startEstate } from './estate.ts';

const index = makeIndex('web');
const web: Shape = {
  root: index,
  referrers: [makeSignature(index)],
  digestTags: { [digestTag(index, '.sig')]: makeCosignature(index, 'a key') },
};
const worker: Shape = { root: makeImage('worker') };
const shapes: Readonly<Record<string, Shape>> = { 'shop/web': web, 'shop/worker': worker };

function isRecord({ repository }: LoggedRequest): boolean {
  return repository?.startsWith('image-lifecycle/') ?? false;
}

/** The image of a layout, to be in `repository`. */
async function fromLayout(repository: string, folder: string): Promise<ImageToTag> {
  const { source, root } = await openImage(await openLayout(await openFolder(folder, folder)), 'image');
  return { repository, reference: root, source };
}

describe('images that a build brings itself', () => {
  let estate: Estate;
  let base: string;
  let images: ImageToTag[];
  let id: number;
  before(async () => {
    base = await makeFolder();
  });
  beforeEach(async () => {
    estate = await startEstate();
    id = estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
    images = [];
    for (const [repository, shape] of Object.entries(shapes)) {
      const folder = join(base, repository);
      await rm(folder, { recursive: true, force: true });
      images.push(await fromLayout(repository, await writeShape(folder, shape)));
    }
  });
  afterEach(() => estate.close());
  after(() => rm(base, { recursive: true, force: true }));

  const changes = () =>
    estate.acr.requests.all().filter(each => each.status === 201 && /manifest\.put|upload\./.test(each.operation));

  function assertWhole(repository: string): void {
    const shape = shapes[repository]!;
    const { world } = estate.acr;
    for (const { digest, bytes } of manifestsOf(shape)) {
      assert.ok(world.manifest(repository, digest)?.bytes.equals(bytes), digest);
    }
    for (const { digest, bytes } of blobsOf(shape)) assert.ok(world.blobs.read(digest)?.equals(bytes), digest);
    for (const [tag, { digest }] of Object.entries(shape.digestTags ?? {})) {
      assert.equal(world.digest(repository, tag), digest);
    }
  }

  it('are recorded before their first byte is sent, and tagged after their last', async () => {
    const result = await estate.tag(id, images, { tags: ['candidate'] });
    const order = changes();
    const recorded = order.findLastIndex(isRecord);
    assert.ok(order.slice(0, recorded + 1).every(isRecord), 'nothing of an image comes before its record');
    assert.equal(order[recorded]?.reference, result.record.tag);
    const tags = [String(id), 'candidate'];
    const firstTag = order.findIndex(each => tags.includes(each.reference ?? ''));
    assert.ok(firstTag > recorded);
    assert.ok(
      order.slice(firstTag).every(each => tags.includes(each.reference ?? '')),
      'no part of an image comes after a tag of the build, not even of another image',
    );
    for (const [repository, { root }] of Object.entries(shapes)) {
      assertWhole(repository);
      for (const tag of tags) assert.equal(estate.acr.world.digest(repository, tag), root.digest);
    }
  });

  it('are recorded by what is known before: digests, children and sizes', async () => {
    const { images: recorded } = await estate.tag(id, images);
    assert.deepEqual(
      recorded.map(({ repository, digest, children, tags, moved }) => ({ repository, digest, children, tags, moved })),
      Object.entries(shapes).map(([repository, { root }]) => ({
        repository,
        digest: root.digest,
        children: root === index ? index.parts.map(part => part.digest) : [],
        tags: [String(id)],
        moved: [],
      })),
    );
    const size = [worker.root, ...worker.root.parts].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    assert.equal(recorded[1]?.size, size);
  });

  it('move nothing when they are there already', async () => {
    await estate.tag(id, images);
    estate.acr.requests.clear();
    await estate.tag(id, images);
    assert.deepEqual(
      changes()
        .filter(each => !isRecord(each))
        .map(({ operation, reference }) => [operation, reference]),
      [
        ['manifest.put', String(id)],
        ['manifest.put', String(id)],
      ],
    );
  });

  it('are one with an image of the same digest that is named in the registry', async () => {
    const { images: tagged } = await estate.tag(id, [images[1]!, images[1]!]);
    assert.equal(tagged.length, 1);
    const again = await estate.tag(id, [images[1]!, { repository: 'shop/worker', reference: String(id) }]);
    assert.deepEqual(again.images.length, 1);
    assertWhole('shop/worker');
  });

  it('take no tag that is on another image, and send nothing then', async () => {
    const { digest } = estate.acr.world.putImage('shop/worker', { tags: [String(id)] });
    const before = estate.acr.world.snapshot();
    await assert.rejects(estate.tag(id, images), { code: 'TAG_TAKEN' });
    assert.deepEqual(estate.acr.world.snapshot(), before);
    await estate.tag(id, images, { overwrite: true });
    assert.notEqual(estate.acr.world.digest('shop/worker', String(id)), digest);
  });

  it('leave every image without a tag where one has a blob of other bytes', async () => {
    const [, layer = worker.root] = worker.root.parts;
    const path = join(base, 'shop/worker/blobs/sha256', layer.digest.slice('sha256:'.length));
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await assert.rejects(estate.tag(id, images), { code: 'DIGEST_MISMATCH', message: new RegExp(layer.digest) });
    for (const repository of Object.keys(shapes)) {
      assert.equal(estate.acr.world.digest(repository, String(id)), undefined);
    }
    assert.equal(estate.acr.world.blobs.read(layer.digest), undefined);
    assert.equal(estate.acr.world.manifest('shop/worker', worker.root.digest), undefined);
  });

  it('of an archive of Docker have a digest before anything is sent', async () => {
    const layers = ['a', 'b'].map(name => makeTar([[name, name]]));
    const path = await writeOldDockerArchive(join(base, 'docker.tar'), [{ names: ['web:1'], layers }]);
    const { source, root } = await openImage(await openDockerArchive(await openTar(path, path)));
    await estate.tag(id, [{ repository: 'shop/old', reference: root, source } as ImageToTag]);
    assert.equal(estate.acr.world.digest('shop/old', String(id)), root);
    const { layers: stored } = (await source.getManifest(root))!;
    assert.deepEqual(
      stored.map(({ digest }) => estate.acr.world.blobs.read(digest)),
      layers,
    );
  });

  it('end the same wherever the first run was broken off, and are never tagged in part', async function () {
    this.timeout(120_000);
    const complete = async () => {
      await estate.tag(id, images);
      for (const [repository, { root }] of Object.entries(shapes)) {
        assertWhole(repository);
        assert.equal(estate.acr.world.digest(repository, String(id)), root.digest);
      }
    };
    await complete();
    const requests = estate.acr.requests.all().length;
    assert.ok(requests > 40, `${requests} requests`);
    for (let at = 1; at < requests; at += 3) {
      await estate.close();
      estate = await startEstate();
      id = estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
      let count = 0;
      estate.acr.faults.intercept = (_request, phase) => {
        if (phase === 'before') count += 1;
        return count >= at ? 'cut' : 'proceed';
      };
      await assert.rejects(estate.tag(id, images), { code: 'REGISTRY_UNAVAILABLE' }, `request ${at} of ${requests}`);
      estate.acr.faults.clear();
      const { world } = estate.acr;
      const isRecorded = world.repositories().some(name => name.startsWith('image-lifecycle/'));
      if (world.repositories().some(name => name in shapes)) assert.ok(isRecorded, `request ${at}: recorded first`);
      const tagged = Object.keys(shapes).filter(name => world.digest(name, String(id)) !== undefined);
      if (tagged.length > 0) for (const repository of Object.keys(shapes)) assertWhole(repository);
      await complete();
    }
  });

  it('go with their build, signatures and all', async () => {
    await estate.tag(id, images);
    estate.ado.world.deleteBuild(id);
    await estate.settle();
    for (const repository of Object.keys(shapes)) assert.deepEqual(estate.acr.world.manifests(repository), []);
  });
});
