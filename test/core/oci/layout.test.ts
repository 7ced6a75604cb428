import assert from 'node:assert/strict';
import { appendFile, mkdir, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openImage } from '../../../core/oci/image-store.ts';
import { openLayout } from '../../../core/oci/layout.ts';
import type { Descriptor } from '../../../core/oci/manifest.ts';
import { openFolder } from '../../../tasks/agent/folder.ts';
import { openTar } from '../../../tasks/agent/tar-archive.ts';
import { changeJson, makeFolder, packFolder, writeShape } from '../../support/archives.ts';
import { type Content, makeImage, makeIndex, makeSignature, pointTo, writeLayout } from '../../support/images.ts';
import { blobsOf, digestTag, makeCosignature, makeShapes, manifestsOf, type Shape } from '../../support/shapes.ts';
import { skopeo } from '../../support/skopeo.ts';
import { fails, missing, readAll } from './world.ts';

function digestFrom(number: number): string {
  return `sha256:${String(number).padStart(64, '0')}`;
}

type Index = { manifests: (Descriptor & { annotations?: Record<string, string> })[] };

describe('an OCI layout', () => {
  let base: string;
  let folder: string;
  before(async () => {
    base = await makeFolder();
  });
  beforeEach(async () => {
    folder = join(base, 'layout');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
  });
  after(() => rm(base, { recursive: true, force: true }));

  const open = async () => openLayout(await openFolder(folder, 'the layout'));
  const pathOf = ({ digest }: Content) => join(folder, 'blobs/sha256', digest.slice('sha256:'.length));
  const opening = async () => openImage(await open());
  const changeIndex = (change: (index: Index) => unknown) => changeJson(join(folder, 'index.json'), change);

  /** Everything of a shape comes out of the store as it went in. */
  async function assertHolds(store: Awaited<ReturnType<typeof open>>, shape: Shape): Promise<void> {
    const { source, root } = await openImage(store, 'image');
    assert.equal(root, shape.root.digest);
    for (const { digest, mediaType, bytes } of manifestsOf(shape)) {
      const manifest = await source.getManifest(digest);
      assert.equal(manifest?.mediaType, mediaType);
      assert.ok(bytes.equals(manifest?.bytes ?? new Uint8Array()), digest);
    }
    for (const blob of blobsOf(shape)) {
      const half = Math.floor(blob.bytes.byteLength / 2);
      const rest = blob.bytes.subarray(half);
      assert.deepEqual(await readAll(await source.openBlob(pointTo(blob), 0)), blob.bytes);
      assert.deepEqual(await readAll(await source.openBlob(pointTo(blob), half)), rest);
    }
    for (const referrer of shape.referrers ?? []) {
      const { subject } = JSON.parse(referrer.bytes.toString()) as { subject: Descriptor };
      const listed = await source.listReferrers(subject.digest);
      assert.ok(
        listed.some(each => each.digest === referrer.digest),
        'a referrer is listed',
      );
    }
    for (const [tag, { digest }] of Object.entries(shape.digestTags ?? {})) {
      const subject = `sha256:${tag.slice('sha256-'.length, 'sha256-'.length + 64)}` as const;
      assert.ok((await source.listDigestTags(subject)).some(each => each.tag === tag && each.digest === digest));
    }
  }

  for (const [name, shape] of Object.entries(makeShapes())) {
    it(`gives ${name} as it is, from a folder and from GNU tar's archives in three formats`, async () => {
      await writeShape(folder, shape);
      await assertHolds(await open(), shape);
      for (const format of ['ustar', 'gnu', 'pax']) {
        const path = await packFolder(folder, join(base, `${format}.tar`), `--format=${format}`);
        await assertHolds(await openLayout(await openTar(path, 'the archive')), shape);
      }
    });
  }

  it('of skopeo, as an archive, has the digest that skopeo finds in it', async () => {
    await writeLayout(folder, { image: makeImage('skopeo') });
    const path = join(base, 'skopeo.tar');
    await skopeo('copy', '--quiet', `oci:${folder}:image`, `oci-archive:${path}:team/web:1`);
    const { root, source } = await openImage(await openLayout(await openTar(path, path)), 'team/web:1');
    const raw = await skopeo('inspect', '--raw', `oci-archive:${path}`);
    assert.equal(Buffer.from((await source.getManifest(root))?.bytes ?? '').toString(), raw);
  });

  describe('with several images', () => {
    const [one, two] = [makeImage('one'), makeIndex('two')];
    beforeEach(async () => {
      await writeLayout(folder, { 'shop/web:1': one, two });
    });

    it('asks which, and lists them', async () => {
      const error = await fails(openImage(await open()), 'INPUT_INVALID');
      assert.equal(
        error.message,
        `the layout has 2 images: name one of them. It has "shop/web:1" (${one.digest}), "two" (${two.digest}).`,
      );
    });

    it('takes the name or the digest of one, or the digest of a part of it', async () => {
      assert.equal((await openImage(await open(), 'shop/web:1')).root, one.digest);
      assert.equal((await openImage(await open(), two.digest)).root, two.digest);
      assert.equal((await openImage(await open(), two.parts[0]?.digest)).root, two.parts[0]?.digest);
    });

    it('says what is there where a name or a digest is not', async () => {
      const named = await fails(openImage(await open(), 'web:1'), 'INPUT_INVALID');
      assert.match(named.message, /no image called "web:1"\. It has "shop\/web:1" \(sha256:/);
      const byDigest = await fails(openImage(await open(), missing), 'INPUT_INVALID');
      assert.match(byDigest.message, /no image sha256:0{64}\. It has "shop\/web:1"/);
    });

    it("knows containerd's name too, and Docker's short form of it", async () => {
      await changeIndex(({ manifests: [first, second] }) => ({
        manifests: [
          { ...first, annotations: { 'io.containerd.image.name': 'docker.io/library/web:1', 'x.ref.name': '1' } },
          { ...second, annotations: { 'io.containerd.image.name': 'docker.io/shop/two:1' } },
        ],
      }));
      assert.equal((await openImage(await open(), 'web:1')).root, one.digest);
      assert.equal((await openImage(await open(), 'docker.io/library/web:1')).root, one.digest);
      assert.equal((await openImage(await open(), 'shop/two:1')).root, two.digest);
    });

    it('asks which where one name is on two of them', async () => {
      await changeIndex(({ manifests }) => ({
        manifests: manifests.map(each => ({ ...each, annotations: { 'org.opencontainers.image.ref.name': 'same' } })),
      }));
      assert.match((await fails(openImage(await open(), 'same'), 'INPUT_INVALID')).message, /2 images called "same"/);
    });

    it('lists no more of them than can be read', async () => {
      const images = Array.from({ length: 12 }, (_, at) => [`${'x'.repeat(500)}${at}`, makeImage(`${at}`)] as const);
      await writeLayout(folder, Object.fromEntries(images));
      const { message } = await fails(openImage(await open()), 'INPUT_INVALID');
      assert.match(message, /has 12 images: .* and 2 more\.$/);
      assert.ok(message.length < 2500, message);
    });

    it('takes one image under several names for one', async () => {
      await writeLayout(folder, { first: one, second: one });
      assert.equal((await openImage(await open())).root, one.digest);
      assert.equal((await openImage(await open(), 'second')).root, one.digest);
    });
  });

  it('has one image where the rest says something about it', async () => {
    const image = makeImage('signed');
    const tags = { [digestTag(image, '.sig')]: makeCosignature(image, 'a key') };
    await writeShape(folder, { root: image, referrers: [makeSignature(image)], digestTags: tags });
    assert.equal((await openImage(await open())).root, image.digest);
  });

  it('has an image that is named by its own digest', async () => {
    const image = makeImage('named');
    await writeLayout(folder, { [digestTag(image, '.imgpkg')]: image });
    const { source, root } = await openImage(await open());
    assert.equal(root, image.digest);
    assert.deepEqual(await source.listDigestTags(image.digest), []);
  });

  it('without a single image says so', async () => {
    await writeLayout(folder, {});
    assert.match(
      (await fails(openImage(await open()), 'INPUT_INVALID')).message,
      /the layout has no image\. It has none\./,
    );
  });

  describe('that is damaged', () => {
    const image = makeIndex('damaged');
    const [child = image] = image.parts;
    const [config = image, layer = image] = child.parts;
    beforeEach(async () => {
      await writeLayout(folder, { image });
    });

    it('names the version that it is not of', async () => {
      for (const text of ['{"imageLayoutVersion":"2.0.0"}', '[]', '{']) {
        await writeFile(join(folder, 'oci-layout'), text);
        assert.match((await fails(opening(), 'INPUT_INVALID')).message, /the layout.*oci-layout/);
      }
    });

    it('lacks its index.json', async () => {
      await unlink(join(folder, 'index.json'));
      assert.match((await fails(opening(), 'INPUT_INVALID')).message, /without its index\.json/);
    });

    it('has an index.json of more than 4 MiB, which is not read', async () => {
      await truncate(join(folder, 'index.json'), 4 * 1024 * 1024 + 1);
      assert.match(
        (await fails(opening(), 'TOO_LARGE')).message,
        /index\.json has 4194305 bytes; 4194304 are the most/,
      );
    });

    it('has an index.json that is none', async () => {
      for (const text of ['{', '{"manifests":{}}', '{"schemaVersion":2}']) {
        await writeFile(join(folder, 'index.json'), text);
        assert.match((await fails(opening(), 'REGISTRY_UNEXPECTED')).message, /the layout, index\.json/);
      }
    });

    it('has an index.json with thousands of faults, of which a few are told', async () => {
      await writeFile(
        join(folder, 'index.json'),
        JSON.stringify({ manifests: Array.from({ length: 50_000 }, () => 1) }),
      );
      assert.ok((await fails(opening(), 'REGISTRY_UNEXPECTED')).message.length < 1000);
    });

    it('has digests of another algorithm', async () => {
      await changeIndex(({ manifests: [first] }) => ({
        manifests: [{ ...first, digest: `sha512:${'a'.repeat(128)}` }],
      }));
      assert.match((await fails(opening(), 'REGISTRY_UNEXPECTED')).message, /not a sha256 digest/);
    });

    it('has a manifest of other bytes', async () => {
      await writeFile(pathOf(child), Buffer.from(child.bytes.toString().replace('layers', 'Layers')));
      assert.match((await fails(opening(), 'DIGEST_MISMATCH')).message, new RegExp(`manifest ${child.digest}`));
    });

    it('lists a manifest with another size', async () => {
      await changeIndex(({ manifests: [first] }) => ({ manifests: [{ ...first, size: 5 }] }));
      const { message } = await fails(opening(), 'DIGEST_MISMATCH');
      assert.match(message, new RegExp(`manifest ${image.digest} has \\d+ bytes, but is listed with 5\\.`));
    });

    it('lists a manifest as something else', async () => {
      await changeIndex(({ manifests: [first] }) => ({ manifests: [{ ...first, mediaType: child.mediaType }] }));
      assert.match(
        (await fails(opening(), 'REGISTRY_UNEXPECTED')).message,
        /calls itself .*index.*delivered as .*manifest/,
      );
    });

    it('lacks a manifest, as what Docker saves of an image that it has in part', async () => {
      await unlink(pathOf(child));
      const { message } = await fails(opening(), 'IMAGE_NOT_FOUND');
      assert.match(message, new RegExp(`the layout: the manifest ${child.digest} is listed, but not in it`));
      // The other platform is whole.
      const other = image.parts[1]?.digest;
      assert.equal((await openImage(await open(), other)).root, other);
    });

    it('lacks the image itself', async () => {
      await unlink(pathOf(image));
      assert.match(
        (await fails(opening(), 'IMAGE_NOT_FOUND')).message,
        /lists the image sha256:\w+, which is not in it/,
      );
    });

    it('lacks a layer, or a config', async () => {
      await unlink(pathOf(layer));
      assert.match(
        (await fails(opening(), 'IMAGE_NOT_FOUND')).message,
        new RegExp(`blob ${layer.digest} is not in it`),
      );
      await unlink(pathOf(config));
      assert.match(
        (await fails(opening(), 'IMAGE_NOT_FOUND')).message,
        new RegExp(`blob ${config.digest} is not in it`),
      );
    });

    it('has a layer of another size than its manifest says', async () => {
      await appendFile(pathOf(layer), 'x');
      const { message } = await fails(opening(), 'DIGEST_MISMATCH');
      const { byteLength } = layer.bytes;
      assert.match(message, new RegExp(`blob ${layer.digest} has ${byteLength} bytes, but it has ${byteLength + 1}`));
    });

    it('lacks a layer of a signature', async () => {
      const signature = makeSignature(image);
      await writeShape(folder, { root: image, referrers: [signature] });
      const [, payload = signature] = signature.parts;
      await unlink(pathOf(payload));
      assert.match((await fails(opening(), 'IMAGE_NOT_FOUND')).message, new RegExp(`blob ${payload.digest}`));
    });

    it('lists more than 10,000 manifests', async () => {
      await changeIndex(({ manifests }) => ({
        manifests: [
          ...manifests,
          ...Array.from({ length: 10_001 }, (_, number) => ({ ...pointTo(child), digest: digestFrom(number) })),
        ],
      }));
      assert.match((await fails(opening(), 'TOO_LARGE')).message, /more than 10000 manifests/);
    });
  });
});
