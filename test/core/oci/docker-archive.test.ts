import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isDockerArchive, openDockerArchive } from '../../../core/oci/docker-archive.ts';
import { openImage } from '../../../core/oci/image-store.ts';
import { openFolder } from '../../../tasks/agent/folder.ts';
import { openTar } from '../../../tasks/agent/tar-archive.ts';
import {
  type ArchiveEntry,
  configName,
  makeConfig,
  makeFolder,
  writeDockerArchive,
  writeOldDockerArchive,
  writeTar,
} from '../../support/archives.ts';
import { makeImage, makeTar } from '../../support/images.ts';
import { skopeo } from '../../support/skopeo.ts';
import { fails, readAll } from './world.ts';

const dockerType = 'application/vnd.docker.distribution.manifest.v2+json';
const layerType = 'application/vnd.docker.image.rootfs.diff.tar';
const [a, b, c] = ['a', 'b', 'c'].map(name => makeTar([[name, `${name}\n`.repeat(300)]])) as [Buffer, Buffer, Buffer];

interface DockerManifest {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string; readonly digest: `sha256:${string}`; readonly size: number };
  readonly layers: DockerManifest['config'][];
}

function digestOf(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

describe('an archive of docker save', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await makeFolder();
    path = join(folder, 'image.tar');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const open = async (pick?: string) => {
    const files = await openTar(path, 'the archive');
    assert.ok(await isDockerArchive(files));
    const { source, root } = await openImage(await openDockerArchive(files), pick);
    const manifest = await source.getManifest(root);
    assert.equal(digestOf(manifest?.bytes ?? new Uint8Array()), root);
    return { source, root, manifest: JSON.parse(Buffer.from(manifest?.bytes ?? '').toString()) as DockerManifest };
  };

  /** Every blob of the manifest is there, and has the size and the digest that the manifest says. */
  async function readBlobs({ source, manifest }: Awaited<ReturnType<typeof open>>): Promise<Buffer[]> {
    const blobs: Buffer[] = [];
    for (const blob of [manifest.config, ...manifest.layers]) {
      const bytes = await readAll(await source.openBlob(blob, 0));
      assert.equal(bytes.byteLength, blob.size);
      assert.equal(digestOf(bytes), blob.digest);
      assert.deepEqual(await readAll(await source.openBlob(blob, 7)), bytes.subarray(7));
      blobs.push(bytes);
    }
    return blobs;
  }

  it('that skopeo wrote becomes a manifest of its layers as they are, with the config byte for byte', async () => {
    await rm(path, { force: true });
    await writeDockerArchive(path, makeImage('saved'), 'team/web:1');
    const opened = await open('team/web:1');
    assert.equal(opened.manifest.mediaType, dockerType);
    assert.equal(opened.manifest.config.mediaType, 'application/vnd.docker.container.image.v1+json');
    const [config] = await readBlobs(opened);
    assert.equal(String(config), await skopeo('inspect', '--config', '--raw', `docker-archive:${path}`));
    const { rootfs } = JSON.parse(String(config)) as { rootfs: { diff_ids: string[] } };
    assert.deepEqual(
      opened.manifest.layers.map(({ digest }) => digest),
      rootfs.diff_ids,
    );
    assert.deepEqual([...new Set(opened.manifest.layers.map(({ mediaType }) => mediaType))], [layerType]);
  });

  it('has the same digest each time that it is read', async () => {
    await writeOldDockerArchive(path, [{ names: ['web:1'], layers: [a, b] }]);
    assert.equal((await open()).root, (await open()).root);
  });

  it('of an old Docker may link a layer to that of another image', async () => {
    await writeOldDockerArchive(path, [
      { names: ['web:1', 'localhost:5000/web:x'], layers: [a, b, c] },
      { names: ['shop/worker:2'], layers: [a, c] },
    ]);
    const [, ...layers] = await readBlobs(await open('shop/worker:2'));
    assert.deepEqual(layers, [a, c]);
    assert.equal((await readBlobs(await open('localhost:5000/web:x'))).length, 4);
  });

  it('with several images asks which, and takes a tag or an id', async () => {
    const [web, worker] = [makeConfig([a]), makeConfig([b])].map(digestOf);
    await writeOldDockerArchive(path, [
      { names: ['docker.io/library/web:1'], layers: [a] },
      { names: [], layers: [b] },
    ]);
    const { message } = await fails(open(), 'INPUT_INVALID');
    assert.match(message, new RegExp(`has 2 images: name one of them. It has "web:1" \\(${web}\\), ${worker}\\.`));
    assert.equal((await open('web:1')).manifest.config.digest, web);
    assert.equal((await open('docker.io/library/web:1')).manifest.config.digest, web);
    assert.equal((await open(worker)).manifest.config.digest, worker);
  });

  it('of kaniko or Jib has compressed layers, which stay compressed', async () => {
    const config = makeConfig([a, b]);
    const packed = [a, b].map(layer => gzipSync(layer));
    await writeTar(path, [
      ...packed.map((content, at) => ({ name: `${at}.tar.gz`, content })),
      { name: 'sha256:config', content: config },
      {
        name: 'manifest.json',
        content: JSON.stringify([{ Config: 'sha256:config', RepoTags: null, Layers: ['0.tar.gz', '1.tar.gz'] }]),
      },
    ]);
    const opened = await open();
    assert.deepEqual(await readBlobs(opened), [config, ...packed]);
    assert.deepEqual([...new Set(opened.manifest.layers.map(each => each.mediaType))], [`${layerType}.gzip`]);
  });

  it('may have an image without any layer, or with one of no bytes', async () => {
    await writeOldDockerArchive(path, [{ names: ['scratch:1'], layers: [] }]);
    assert.deepEqual((await open()).manifest.layers, []);
    await writeOldDockerArchive(path, [{ names: ['empty:1'], layers: [Buffer.alloc(0)] }]);
    assert.equal((await readBlobs(await open())).length, 2);
  });

  it('has no referrers, and no digest tags', async () => {
    await writeOldDockerArchive(path, [{ names: ['web:1'], layers: [a] }]);
    const { source, root } = await open();
    assert.deepEqual([await source.listReferrers(root), await source.listDigestTags(root)], [[], []]);
  });

  describe('that is wrong', () => {
    const config = makeConfig([a, b]);
    const files: ArchiveEntry[] = [
      { name: 'a.tar', content: a },
      { name: 'b.tar', content: b },
      { name: configName(config), content: config },
    ];
    const image = { Config: configName(config), RepoTags: ['web:1'], Layers: ['a.tar', 'b.tar'] };
    const write = (manifest: unknown, more: readonly ArchiveEntry[] = []) =>
      writeTar(path, [...files, ...more, { name: 'manifest.json', content: JSON.stringify(manifest) }]);

    it('would be right otherwise', async () => {
      await write([image]);
      assert.equal((await readBlobs(await open())).length, 3);
    });

    it('names a layer that is not there', async () => {
      await write([{ ...image, Layers: ['a.tar', 'c.tar'] }]);
      const { message } = await fails(open(), 'IMAGE_NOT_FOUND');
      assert.equal(message, 'the archive: manifest.json names "c.tar", which is not in it.');
    });

    it('names a config that is not there', async () => {
      await write([{ ...image, Config: 'other.json' }]);
      assert.match((await fails(open(), 'IMAGE_NOT_FOUND')).message, /names "other\.json", which is not in it/);
    });

    it('names files outside', async () => {
      const outside = join(folder, 'outside');
      await writeFile(outside, b);
      for (const name of ['../outside', outside]) {
        await write([{ ...image, Layers: ['a.tar', name] }]);
        assert.match((await fails(open(), 'IMAGE_NOT_FOUND')).message, /which is not in it/);
      }
      const unpacked = join(folder, 'unpacked');
      await mkdir(unpacked);
      await writeFile(join(unpacked, 'manifest.json'), JSON.stringify([{ ...image, Config: '../outside' }]));
      const opening = openFolder(unpacked, 'the folder').then(openDockerArchive);
      assert.match(
        (await fails(opening, 'INPUT_INVALID')).message,
        /the folder: \.\.\/outside leads out of the folder/,
      );
    });

    it('has a layer of other bytes than its config says', async () => {
      await write([{ ...image, Layers: ['a.tar', 'c.tar'] }], [{ name: 'c.tar', content: c }]);
      const { message } = await fails(open(), 'DIGEST_MISMATCH');
      assert.ok(message.includes(`the layer c.tar has the bytes of ${digestOf(c)}`), message);
      assert.ok(message.includes(`names ${digestOf(b)} there`), message);
    });

    it('has its layers in another order', async () => {
      await write([{ ...image, Layers: ['b.tar', 'a.tar'] }]);
      assert.match((await fails(open(), 'DIGEST_MISMATCH')).message, /the layer b\.tar/);
    });

    it('has more or fewer layers than its config says', async () => {
      await write([{ ...image, Layers: ['a.tar'] }]);
      assert.match((await fails(open(), 'INPUT_INVALID')).message, /has 1 layers, but its config names 2/);
      await write([{ ...image, Layers: ['a.tar', 'b.tar', 'b.tar'] }]);
      assert.match((await fails(open(), 'INPUT_INVALID')).message, /has 3 layers, but its config names 2/);
    });

    it('has a compressed layer that is damaged, or of another content', async () => {
      const cut = gzipSync(b).subarray(0, -9);
      await write([{ ...image, Layers: ['a.tar', 'b.gz'] }], [{ name: 'b.gz', content: cut }]);
      assert.match((await fails(open(), 'DIGEST_MISMATCH')).message, /the layer b\.gz is compressed, and damaged/);
      await write([{ ...image, Layers: ['a.tar', 'b.gz'] }], [{ name: 'b.gz', content: gzipSync(c) }]);
      assert.match((await fails(open(), 'DIGEST_MISMATCH')).message, /the layer b\.gz has the bytes of/);
    });

    it('has a config that is none', async () => {
      for (const content of ['{', '{}', '[]', '{"rootfs":{"diff_ids":["md5:1"]}}']) {
        await write([{ ...image, Config: 'c.json' }], [{ name: 'c.json', content }]);
        assert.match((await fails(open(), 'INPUT_INVALID')).message, /the archive: a config is not that of an image/);
      }
    });

    it('has a manifest.json that is none, or is too large', async () => {
      for (const manifest of [{}, [{ Layers: [] }], [{ ...image, Layers: 'a.tar' }]]) {
        await write(manifest);
        assert.match(
          (await fails(open(), 'INPUT_INVALID')).message,
          /the archive: manifest\.json is not one of images/,
        );
      }
      await write([{ ...image, RepoTags: ['x'.repeat(4 * 1024 * 1024)] }]);
      assert.match((await fails(open(), 'TOO_LARGE')).message, /manifest\.json has \d+ bytes; 4194304 are the most/);
    });

    it('has a config that is too large', async () => {
      const content = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
      await write([{ ...image, Config: 'large.json' }], [{ name: 'large.json', content }]);
      assert.match((await fails(open(), 'TOO_LARGE')).message, /large\.json has 4194305 bytes/);
    });

    it('has no image at all', async () => {
      await write([]);
      assert.match((await fails(open(), 'INPUT_INVALID')).message, /has no image\. It has none\./);
    });
  });
});
