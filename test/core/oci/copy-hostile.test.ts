import assert from 'node:assert/strict';
import { computeDigest } from '../../../core/oci/digest.ts';
import { type Manifest, parseManifest } from '../../../core/oci/manifest.ts';
import { dockerManifest, ociIndex, ociLayer, ociManifest } from '../../../core/oci/media-types.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { type ImageSource, repositorySource } from '../../../core/oci/source.ts';
import { type Content, content, contentOf, flatten, makeImage, makeIndex, pointTo } from '../../support/images.ts';
import { isManifest, makeIndexOf } from '../../support/shapes.ts';
import { type CopyWorld, contentSource, copyAll, startCopyWorld } from './copy-world.ts';
import { startLoopback } from './loopback.ts';
import { anonymous, fails } from './world.ts';

/** The same image, but for what one descriptor says. */
function lie(image: Content, about: Content, words: object): Content {
  const text = JSON.stringify(pointTo(about)).slice(0, -1);
  const lied = JSON.stringify({ ...pointTo(about), ...words });
  const bytes = Buffer.from(image.bytes.toString().replace(`${text}}`, lied));
  assert.notDeepEqual(bytes, image.bytes);
  return content(image.mediaType, bytes, image.parts);
}

describe('a copy from a source that lies', () => {
  let world: CopyWorld;
  let count = 0;
  before(async () => {
    world = await startCopyWorld();
  });
  beforeEach(() => {
    count += 1;
    world.source.acr?.faults.clear();
  });
  after(() => world.close());
  const acr = () => world.target.acr!;
  const target = () => `to/app${count}`;
  /** Copies, and expects that this fails and that nothing of it can be seen. */
  const refuses = async (source: ImageSource, root: Content, code: Parameters<typeof fails>[1]) => {
    const thrown = await fails(copyAll([{ source, target: world.target.open(target()), root }]), code);
    assert.deepEqual(acr().world.tags(target()), {}, thrown.message);
    assert.equal(acr().world.has(target(), root.digest), false);
    return thrown;
  };

  it('ends at a blob of other bytes, which stay outside, and names that blob', async () => {
    const root = makeImage('corrupt');
    await world.source.put('from/corrupt', root);
    const [, layer = root] = root.parts;
    world.source.acr?.faults.add({ operation: 'blob.data', path: layer.digest.slice(7) }, { kind: 'corrupt' });
    const thrown = await refuses(repositorySource(world.source.open('from/corrupt')), root, 'DIGEST_MISMATCH');
    assert.ok(thrown.message.startsWith(`copying the blob ${layer.digest} of `), thrown.message);
    assert.equal(thrown.message.match(/copying the blob/g)?.length, 1);
    assert.equal(await world.target.readBlob(target(), layer.digest), undefined);
  });

  for (const [words, size] of Object.entries({ 'too few': -1, 'too many': 1, none: -100 })) {
    const image = makeImage(`size${size}`, { layers: 1 });
    const [, layer = image] = image.parts;
    const root = lie(image, layer, { size: Math.max(0, layer.bytes.byteLength + size) });

    it(`ends at a layer of ${words} bytes`, async () => {
      await refuses(contentSource([root]), root, 'DIGEST_MISMATCH');
    });

    it(`ends at a layer of ${words} bytes that is there already`, async () => {
      await world.target.put(target(), layer);
      await refuses(contentSource([root]), root, 'DIGEST_MISMATCH');
    });

    it(`ends at a layer of ${words} bytes that another repository of the registry has`, async () => {
      await world.target.put('to/other', root);
      await refuses(repositorySource(world.target.open('to/other')), root, 'DIGEST_MISMATCH');
    });

    it(`ends at a child of ${words} bytes, on its way and where it is there already`, async () => {
      const index = makeIndex(`child${size}`);
      const [child = index] = index.parts;
      const root = lie(index, child, { size: Math.max(0, child.bytes.byteLength + size) });
      const outer = makeIndexOf([root]);
      await refuses(contentSource([outer]), outer, 'DIGEST_MISMATCH');
      await world.target.put(target(), child);
      await refuses(contentSource([root]), root, 'DIGEST_MISMATCH');
    });
  }

  it('ends at two manifests of which one lies about the blob of both', async () => {
    const image = makeImage('both', { layers: 1 });
    const [, layer = image] = image.parts;
    const root = makeIndexOf([image, lie(image, layer, { size: layer.bytes.byteLength + 1 })]);
    await refuses(contentSource([root]), root, 'DIGEST_MISMATCH');
  });

  it('ends at a manifest of other bytes', async () => {
    const root = makeIndex('bytes');
    const [child = root] = root.parts;
    const other = makeImage('other');
    const source = contentSource([root], {
      getManifest: async digest => {
        const { bytes, mediaType } = digest === child.digest ? other : root;
        return { ...parseManifest(bytes, mediaType, 'a lie'), digest };
      },
    });
    await refuses(source, root, 'DIGEST_MISMATCH');
  });

  it('believes the bytes of a manifest alone, so that no graph leads back to itself', async () => {
    const root = makeIndex('loop');
    const honest = contentSource([root]);
    const source = contentSource([root], {
      async getManifest(digest) {
        const manifest = (await honest.getManifest(digest)) as Manifest;
        return { ...manifest, children: [{ mediaType: ociIndex, digest: root.digest, size: root.bytes.byteLength }] };
      },
    });
    await copyAll([{ source, target: world.target.open(target()), root }]);
    for (const each of flatten(root).filter(isManifest)) assert.ok(acr().world.has(target(), each.digest));
  });

  it('ends at an index of 10,000 children', async () => {
    const children = Array.from({ length: 10_000 }, (_, at) => content(ociManifest, Buffer.from(String(at))));
    const root = makeIndexOf(children);
    let reads = 0;
    const honest = contentSource([root]);
    const source = contentSource([root], {
      getManifest: digest => {
        reads += 1;
        return honest.getManifest(digest);
      },
    });
    await refuses(source, root, 'TOO_LARGE');
    assert.equal(reads, 1);
  });

  it('ends at indexes in indexes without end', async () => {
    // Each level is made when it is asked for; the levels below are many.
    const made = new Map<string, Content>();
    const makeLevel = (name: string): Content => {
      const children = Array.from({ length: 100 }, (_, at) => {
        const child = contentOf(ociIndex, {
          schemaVersion: 2,
          mediaType: ociIndex,
          manifests: [],
          name: `${name}.${at}`,
        });
        made.set(child.digest, child);
        return child;
      });
      return makeIndexOf(children);
    };
    const levels = Array.from({ length: 100 }, (_, at) => makeLevel(String(at)));
    const root = makeIndexOf(levels);
    const thrown = await refuses(contentSource([root]), root, 'TOO_LARGE');
    assert.match(thrown.message, /more than 5000 manifests/);
    assert.equal(acr().world.manifests(target()).length, 0, 'nothing was begun');
  });

  it('ends at a manifest of 40 MB, without reading it', async () => {
    let sent = 0;
    const part = Buffer.alloc(64 * 1024, ' ');
    const server = await startLoopback((_, response) => {
      response.writeHead(200, { 'content-type': ociManifest });
      const write = (): void => {
        while (sent < 40 * 1024 * 1024 && !response.destroyed) {
          sent += part.byteLength;
          if (!response.write(part)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const registry = openRegistry({ address: server.url, credentials: anonymous, http: world.http });
    const root = makeImage('large');
    try {
      await refuses(repositorySource(openRepository(registry, 'a/b', ['pull'])), root, 'TOO_LARGE');
    } finally {
      await server.close();
    }
    assert.ok(sent < 20 * 1024 * 1024, `${sent} bytes were read`);
  });

  it('ends at what is of a media type that nobody knows', async () => {
    const odd = contentOf('application/vnd.oci.artifact.manifest.v1+json', {
      mediaType: 'application/vnd.oci.artifact.manifest.v1+json',
      blobs: [pointTo(content(ociLayer, Buffer.from('a blob that nobody would bring')))],
    });
    const give = contentSource([], { getManifest: async () => parseManifest(odd.bytes, odd.mediaType, 'odd') });
    assert.match((await refuses(give, odd, 'REGISTRY_UNEXPECTED')).message, /artifact\.manifest.*not known here/);
    // Named by an index it would be a blob, which no registry gives under that name.
    const signed = contentOf('application/vnd.docker.distribution.manifest.v1+prettyjws', { schemaVersion: 1 });
    const root = makeIndexOf([makeImage('known'), signed]);
    await world.source.put('from/odd', makeImage('known'));
    world.source.acr?.world.putManifest('from/odd', root.bytes, { mediaType: root.mediaType });
    await refuses(repositorySource(world.source.open('from/odd')), root, 'IMAGE_NOT_FOUND');
  });

  it('ends at what is delivered as another kind than it is', async () => {
    const root = makeImage('kind');
    const honest = contentSource([root]);
    const source = contentSource([root], {
      getManifest: async digest => ({ ...((await honest.getManifest(digest)) as Manifest), mediaType: dockerManifest }),
    });
    await refuses(source, root, 'REGISTRY_UNEXPECTED');
  });

  it('ends where a child, or a layer, is gone', async () => {
    const root = makeIndex('hole');
    const [child = root] = root.parts;
    const [, layer = root] = child.parts;
    const honest = contentSource([root]);
    const childless = contentSource([root], {
      getManifest: async digest => (digest === child.digest ? undefined : honest.getManifest(digest)),
    });
    assert.match((await refuses(childless, root, 'IMAGE_NOT_FOUND')).message, new RegExp(child.digest));
    await world.source.put('from/hole', root);
    world.source.acr?.world.unlinkBlob('from/hole', layer.digest);
    const source = repositorySource(world.source.open('from/hole'));
    assert.match((await refuses(source, root, 'IMAGE_NOT_FOUND')).message, new RegExp(layer.digest));
    assert.equal(computeDigest(layer.bytes), layer.digest);
  });
});
