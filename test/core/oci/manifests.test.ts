import assert from 'node:assert/strict';
import { inputError } from '../../../core/base/errors.ts';
import { computeDigest, type Digest } from '../../../core/oci/digest.ts';
import { parseManifest } from '../../../core/oci/manifest.ts';
import { deleteManifest, getManifest, headManifest, offerManifest, putManifest } from '../../../core/oci/manifests.ts';
import { dockerIndex, ociIndex, ociManifest } from '../../../core/oci/media-types.ts';
import { type Loopback, type Reply, startLoopback } from './loopback.ts';
import { type AcrWorld, type Client, createClient, fails, missing, openOn, startAcrWorld } from './world.ts';

const descriptor = { mediaType: ociManifest, digest: missing, size: 2 };
const image = { schemaVersion: 2, mediaType: ociManifest, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor] };

describe('manifests as bytes, on an Azure Container Registry', () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld();
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
  });
  after(() => world.close());

  it('come back as they went, white space, key order, escapes and unknown keys and all', async () => {
    const repository = world.open('team/app');
    const config = world.acr.world.putBlob('team/app', '{}');
    const layer = world.acr.world.putBlob('team/app', 'layer');
    const text = `\n{ "layers" : [ {"size":5,\t"digest":"${layer}", "mediaType":"application/x","future":{"b":1,"a":[1e2]}} ],
      "annotations":{"z":"\\u00e4\\/","a":"ä"}, "mediaType":"${ociManifest}","schemaVersion":2.0,
      "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${config}","size":2} }\r\n\n`;
    const sent = parseManifest(Buffer.from(text), ociManifest, 'mine');
    await putManifest(repository, 'v1', sent);
    await putManifest(repository, sent.digest, sent);
    for (const reference of ['v1', sent.digest]) {
      const read = await getManifest(repository, reference);
      assert.equal(Buffer.from(read?.bytes ?? []).toString(), text);
      assert.equal(read?.digest, computeDigest(Buffer.from(text)));
      assert.deepEqual(read?.annotations, { z: 'ä/', a: 'ä' });
    }
    assert.deepEqual(world.acr.world.manifest('team/app', 'v1')?.bytes, Buffer.from(text));
  });

  it('are not taken without what they name, which is a value when offered, and every other refusal an error', async () => {
    const repository = world.open('team/offered');
    const manifest = parseManifest(Buffer.from(JSON.stringify(image)), ociManifest, 'mine');
    assert.equal(await offerManifest(repository, 'v1', manifest), false);
    await fails(putManifest(repository, 'v1', manifest), 'REGISTRY_UNEXPECTED');
    world.acr.faults.add({ operation: 'manifest.put', nth: 1 }, { kind: 'status', status: 400 });
    await fails(offerManifest(repository, 'v1', manifest), 'REGISTRY_UNEXPECTED');
    world.acr.faults.add({ operation: 'manifest.put', nth: 1 }, { kind: 'wrong-digest' });
    const { bytes, digest } = world.acr.world.manifest(
      'team/offered',
      world.acr.world.putImage('team/offered').digest,
    )!;
    const there = parseManifest(bytes, ociManifest, 'mine');
    await fails(offerManifest(repository, 'v1', there), 'DIGEST_MISMATCH');
    assert.equal(await offerManifest(repository, 'v1', there), true);
    assert.equal(world.acr.world.digest('team/offered', 'v1'), digest);
  });

  it('are asked for with the index types, so an index is found', async () => {
    const child = world.acr.world.putImage('multi');
    const made = world.acr.world.putIndex('multi', [child], { tags: ['v1'] });
    const repository = world.open('multi');
    const read = await getManifest(repository, 'v1');
    assert.deepEqual([read?.digest, read?.mediaType, read?.children[0]?.digest], [made.digest, ociIndex, child.digest]);
    assert.deepEqual(await headManifest(repository, 'v1'), {
      digest: made.digest,
      mediaType: ociIndex,
      size: made.size,
    });
  });

  it('that are not there are a value, also in a repository that is not', async () => {
    for (const name of ['team/app', 'no/such']) {
      for (const reference of ['nothing', missing]) {
        assert.equal(await headManifest(world.open(name), reference), undefined);
        assert.equal(await getManifest(world.open(name), reference), undefined);
      }
      assert.equal(await deleteManifest(world.open(name), missing), 'alreadyGone');
    }
  });

  it('of other bytes than their digest are refused, by tag and by digest', async () => {
    const { digest } = world.acr.world.putImage('team/bad', { tags: ['v1'] });
    world.acr.faults.add({ operation: 'manifest.get' }, { kind: 'corrupt' });
    for (const reference of ['v1', digest])
      await fails(getManifest(world.open('team/bad'), reference), 'DIGEST_MISMATCH');
  });

  it('under a header that lies are refused', async () => {
    const { digest } = world.acr.world.putImage('team/lie', { tags: ['v1'] });
    world.acr.faults.add({ repository: 'team/lie' }, { kind: 'wrong-digest' });
    const repository = world.open('team/lie');
    await fails(getManifest(repository, 'v1'), 'DIGEST_MISMATCH');
    await fails(headManifest(repository, digest), 'DIGEST_MISMATCH');
    // By digest the bytes are the proof, whatever the header says.
    assert.equal((await getManifest(repository, digest))?.digest, digest);
    const [same] = [parseManifest(world.acr.world.manifest('team/lie', 'v1')?.bytes as Buffer, ociManifest, 'it')];
    await fails(putManifest(repository, 'v2', same), 'DIGEST_MISMATCH');
  });

  it('that are locked are said to be so', async () => {
    const { digest } = world.acr.world.putImage('team/locked', { tags: ['v1'] });
    world.acr.world.setAttributes('team/locked', digest, { deleteEnabled: false });
    world.acr.world.setAttributes('team/locked', 'v1', { writeEnabled: false });
    const repository = world.open('team/locked');
    assert.equal(await deleteManifest(repository, digest as Digest), 'locked');
    world.acr.world.putImage('team/locked', { tags: ['v2'] });
    const other = await getManifest(repository, 'v2');
    assert.ok(other);
    const thrown = await fails(putManifest(repository, 'v1', other), 'LOCKED');
    assert.match(thrown.message, /team\/locked, manifest v1 could not be written: it is locked/);
    assert.ok(world.acr.world.has('team/locked', digest));
  });

  it('are deleted by digest, and the tags go with them', async () => {
    const { digest } = world.acr.world.putImage('team/gone', { tags: ['v1', 'v2'] });
    assert.equal(await deleteManifest(world.open('team/gone'), digest as Digest), 'deleted');
    assert.deepEqual(world.acr.world.tags('team/gone'), {});
  });

  it('are not deleted again before the caller has looked again', async () => {
    const { digest } = world.acr.world.putImage('team/late');
    const repository = world.open('team/late');
    await headManifest(repository, digest);
    world.acr.faults.add({ operation: 'manifest.delete', nth: 1 }, { kind: 'status', status: 429, retryAfter: 60 });
    const looks: string[] = [];
    const look = async (): Promise<void> => {
      looks.push(digest);
      throw inputError('it was tagged meanwhile');
    };
    await fails(deleteManifest(repository, digest as Digest, look), 'INPUT_INVALID');
    assert.deepEqual([looks.length, world.acr.world.has('team/late', digest)], [1, true]);
    assert.equal(world.acr.requests.count({ operation: 'manifest.delete' }), 1);
  });

  it('are never reached by a reference that is none: nothing is sent', async () => {
    const repository = world.open('team/app');
    for (const reference of ['', '..', '../../other/manifests/v1', 'a/b', 'v1?x=1', '%2e%2e', 'sha256:abc', 'v1#']) {
      await fails(headManifest(repository, reference), 'INPUT_INVALID');
      await fails(getManifest(repository, reference), 'INPUT_INVALID');
      await fails(deleteManifest(repository, reference as Digest), 'INPUT_INVALID');
    }
    for (const name of ['', '..', 'a/../b', 'a//b', 'A', 'a%2Fb', 'a?b']) {
      assert.throws(() => world.open(name), /is not a repository's name/);
    }
    assert.equal(world.acr.requests.count(), 0);
  });
});

describe('manifests of a registry that answers as it likes', () => {
  let server: Loopback;
  let client: Client;
  beforeEach(() => {
    client = createClient();
  });
  afterEach(async () => {
    await client.http.close();
    await server.close();
  });
  const answer = async (bytes: string | Buffer, headers: Record<string, string | string[]> = {}) => {
    const reply: Reply = (_, response) =>
      response.writeHead(200, { 'content-type': ociManifest, ...headers }).end(bytes);
    server = await startLoopback(reply);
    return openOn(server, client);
  };

  const confused: Record<string, [string, object | string]> = {
    'an index delivered as an image': [ociManifest, index],
    'an image delivered as an index': [ociIndex, image],
    'an index that is called an image, and does not say what it is': [ociManifest, { manifests: [descriptor] }],
    'an image that is called an index, and does not say what it is': [ociIndex, { layers: [descriptor] }],
    'an index with layers': [ociIndex, { ...index, layers: [descriptor] }],
    'an image with manifests': [ociManifest, { ...image, manifests: [] }],
    'an OCI index delivered as a Docker list': [dockerIndex, index],
    'an index without its list': [ociIndex, { schemaVersion: 2 }],
    'a child without a digest': [ociIndex, { manifests: [{ mediaType: ociManifest, size: 1 }] }],
    'a child with a digest of another kind': [
      ociIndex,
      { manifests: [{ ...descriptor, digest: `sha512:${'a'.repeat(128)}` }] },
    ],
    'a layer whose digest is a path': [ociManifest, { layers: [{ ...descriptor, digest: 'sha256:../../x' }] }],
    'a list': [ociManifest, []],
    nothing: [ociManifest, ''],
    'a page of a proxy': [ociManifest, '<html>Sign in</html>'],
    'half of it': [ociManifest, JSON.stringify(image).slice(0, 40)],
  };
  for (const [name, [type, body]] of Object.entries(confused)) {
    it(`refuses ${name}`, async () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await fails(getManifest(await answer(text, { 'content-type': type }), 'v1'), 'REGISTRY_UNEXPECTED');
    });
  }

  it('refuses bytes that are no UTF-8', async () => {
    const text = Buffer.concat([Buffer.from('{"annotations":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}')]);
    await fails(getManifest(await answer(text), 'v1'), 'REGISTRY_UNEXPECTED');
  });

  it('reads one behind a byte order mark, and keeps the mark', async () => {
    const bytes = Buffer.from(`\ufeff${JSON.stringify(image)}`);
    const read = await getManifest(await answer(bytes), 'v1');
    assert.deepEqual([read?.digest, Buffer.from(read?.bytes ?? [])], [computeDigest(bytes), bytes]);
  });

  it('reads the last of two fields of one name, as registries do, and keeps both', async () => {
    const second = { ...descriptor, digest: `sha256:${'1'.repeat(64)}` };
    const text = `{"manifests":[],"mediaType":"${ociIndex}","manifests":${JSON.stringify([second])}}`;
    const read = await getManifest(await answer(text, { 'content-type': ociIndex }), 'v1');
    assert.deepEqual(
      read?.children.map(child => child.digest),
      [second.digest],
    );
    assert.equal(Buffer.from(read?.bytes ?? []).toString(), text);
  });

  it('takes 4 MiB and not one byte more', async () => {
    const empty = JSON.stringify({ ...image, annotations: { a: '' } });
    const fit = empty.replace('""', `"${'x'.repeat(4 * 1024 * 1024 - empty.length)}"`);
    let text = fit;
    server = await startLoopback((_, response) => response.writeHead(200, { 'content-type': ociManifest }).end(text));
    const repository = openOn(server, client);
    assert.equal((await getManifest(repository, 'v1'))?.bytes.byteLength, 4 * 1024 * 1024);
    text = `${fit} `;
    await fails(getManifest(repository, 'v1'), 'TOO_LARGE');
    assert.equal(server.requests.length, 2);
  });

  it('reads the bytes where a head names no digest, and sees through parameters of the type', async () => {
    const text = JSON.stringify(image);
    const repository = await answer(text, { 'content-type': `${ociManifest}; charset=utf-8` });
    const head = await headManifest(repository, 'v1');
    assert.deepEqual(head, { digest: computeDigest(Buffer.from(text)), mediaType: ociManifest, size: text.length });
    assert.deepEqual(
      server.requests.map(request => request.method),
      ['HEAD', 'GET'],
    );
  });

  it('survives headers that come twice', async () => {
    const digest = [missing, missing];
    const repository = await answer(JSON.stringify(image), {
      'content-type': [ociManifest, ociManifest],
      'docker-content-digest': digest,
    });
    await fails(getManifest(repository, 'v1'), 'REGISTRY_UNEXPECTED');
  });

  it('refuses a digest that its bytes do not have, though the head agrees', async () => {
    const text = JSON.stringify(image);
    const repository = await answer(text, { 'docker-content-digest': missing });
    assert.equal((await headManifest(repository, missing))?.digest, missing);
    await fails(getManifest(repository, missing), 'DIGEST_MISMATCH');
  });
});
