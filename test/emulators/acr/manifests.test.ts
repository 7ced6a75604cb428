import assert from 'node:assert/strict';
import { startAcr } from './acr.ts';
import { type Client, type Reply, withAcr } from './client.ts';
import { digestOf, mediaTypes } from './content.ts';
import type { World } from './world.ts';

const image = { 'Content-Type': mediaTypes.ociManifest };
const index = { 'Content-Type': mediaTypes.ociIndex };

function describeBlob(world: World, mediaType: string, bytes: string, repository = 'app') {
  return { mediaType, digest: world.putBlob(repository, bytes), size: bytes.length };
}

function imageDocument(world: World, extra: object = {}): string {
  const config = describeBlob(world, mediaTypes.ociConfig, '{"architecture":"arm64","os":"linux"}');
  const layers = [describeBlob(world, mediaTypes.ociLayer, 'layer')];
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers, ...extra }, null, 3);
}

function put(client: Client, reference: string, body: string, headers: Record<string, string> = image): Promise<Reply> {
  return client.send('PUT', `/v2/app/manifests/${reference}`, { headers, body });
}

describe('emulated registry: manifests', () => {
  it('keeps the bytes as they came, under their digest and their tag', () =>
    withAcr(startAcr, async (acr, client) => {
      const body = imageDocument(acr.world);
      const digest = digestOf(body);
      const done = await put(client, '1.0', body);
      assert.equal(done.status, 201);
      assert.equal(done.headers.location, `/v2/app/manifests/${digest}`);
      for (const reference of ['1.0', digest]) {
        const got = await client.send('GET', `/v2/app/manifests/${reference}`);
        assert.equal(got.bytes.toString(), body);
        assert.equal(got.headers['content-type'], mediaTypes.ociManifest);
        assert.equal(got.headers['docker-content-digest'], digest);
        const head = await client.send('HEAD', `/v2/app/manifests/${reference}`);
        assert.equal(head.headers['content-length'], String(body.length));
        assert.equal(head.bytes.length, 0);
      }
      assert.deepEqual(acr.world.tags('app'), { '1.0': digest });
    }));

  it('moves a tag, and leaves the manifest that it left untagged', () =>
    withAcr(startAcr, async (acr, client) => {
      const [first, second] = [imageDocument(acr.world), imageDocument(acr.world, { annotations: { a: 'b' } })];
      await put(client, 'latest', first);
      await put(client, 'latest', second);
      assert.deepEqual(acr.world.tags('app'), { latest: digestOf(second) });
      assert.deepEqual(new Set(acr.world.manifests('app')), new Set([digestOf(first), digestOf(second)]));
    }));

  it('refuses what it cannot hold', () =>
    withAcr(startAcr, async (acr, client) => {
      const { world } = acr;
      const absent = { mediaType: mediaTypes.ociLayer, digest: digestOf('absent'), size: 6 };
      const foreign = { ...absent, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar' };
      const empty = describeBlob(world, mediaTypes.empty, '{}');
      const child = { mediaType: mediaTypes.ociManifest, digest: digestOf('child'), size: 5 };
      const ofChild = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] });
      const good = imageDocument(world);
      const cases: [string, string, string, Record<string, string>, number, string | undefined][] = [
        ['a missing layer', 'x', imageDocument(world, { layers: [absent] }), image, 400, 'MANIFEST_BLOB_UNKNOWN'],
        ['a missing layer kept elsewhere', 'x', imageDocument(world, { layers: [foreign] }), image, 201, undefined],
        ['a missing child', 'x', ofChild, index, 400, 'MANIFEST_BLOB_UNKNOWN'],
        [
          'an empty config without a type',
          'x',
          imageDocument(world, { config: empty }),
          image,
          400,
          'MANIFEST_INVALID',
        ],
        [
          'an empty config with a type',
          'x',
          imageDocument(world, { config: empty, artifactType: 'a/b' }),
          image,
          201,
          undefined,
        ],
        ['no JSON', 'x', 'no', image, 400, 'MANIFEST_INVALID'],
        ['another type than it says', 'x', good, index, 400, 'MANIFEST_INVALID'],
        ['a type nobody knows', 'x', '{}', { 'Content-Type': 'text/plain' }, 400, 'MANIFEST_INVALID'],
        ['another digest', digestOf('other'), good, image, 400, 'DIGEST_INVALID'],
        ['a bad digest', 'sha256:bad', good, image, 400, 'DIGEST_INVALID'],
        ['a bad tag', '.bad', good, image, 400, 'TAG_INVALID'],
        ['4 MiB and more', 'x', `${good}${' '.repeat(4 * 1024 * 1024)}`, image, 413, 'MANIFEST_INVALID'],
      ];
      for (const [what, reference, body, headers, status, code] of cases) {
        const reply = await put(client, reference, body, headers);
        assert.deepEqual([reply.status, reply.code], [status, code], what);
      }
      const almost = good.replace(/}$/, '') + ' '.repeat(4 * 1024 * 1024 - good.length);
      assert.equal((await put(client, 'big', `${almost}}`)).status, 201);
      assert.match((await client.send('PUT', '/v2/A/manifests/x', { body: good })).code ?? '', /NAME_INVALID/);
    }));

  it('takes a subject that is not there, and says that it saw it', () =>
    withAcr(startAcr, async (acr, client) => {
      const subject = { mediaType: mediaTypes.ociManifest, digest: digestOf('absent'), size: 6 };
      const reply = await put(client, 'x', imageDocument(acr.world, { subject }));
      assert.equal(reply.status, 201);
      assert.equal(reply.headers['oci-subject'], subject.digest);
      acr.behaviour.referrers = false;
      const again = await put(client, 'y', imageDocument(acr.world, { subject, annotations: { again: '1' } }));
      assert.equal(again.headers['oci-subject'], undefined);
    }));

  it('hides an index from who names no index type', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putIndex('app', [acr.world.putImage('app')], { tags: ['multi'] });
      const get = (method: string, Accept?: string) =>
        client.send(method, '/v2/app/manifests/multi', { headers: Accept === undefined ? {} : { Accept } });
      for (const method of ['GET', 'HEAD']) {
        assert.equal((await get(method)).status, 404);
        assert.equal((await get(method, '*/*')).status, 404);
        assert.equal((await get(method, mediaTypes.ociManifest)).status, 404);
        assert.equal((await get(method, `${mediaTypes.ociManifest}, ${mediaTypes.ociIndex};q=0.5`)).status, 200);
      }
      acr.behaviour.indexNeedsAccept = false;
      assert.equal((await get('GET')).status, 200);
    }));

  it('says what is unknown: a repository, a manifest, a tag', () =>
    withAcr(startAcr, async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      const code = async (path: string) => (await client.send('GET', path)).code;
      assert.equal(await code('/v2/none/manifests/1'), 'NAME_UNKNOWN');
      assert.equal(await code('/v2/app/manifests/2'), 'MANIFEST_UNKNOWN');
      assert.equal(await code(`/v2/app/manifests/${digestOf('x')}`), 'MANIFEST_UNKNOWN');
      assert.equal(await code('/acr/v1/none'), 'NAME_UNKNOWN');
      assert.equal(await code('/acr/v1/app/_tags/2'), 'TAG_UNKNOWN');
      assert.equal(await code(`/acr/v1/app/_manifests/${digestOf('x')}`), 'MANIFEST_UNKNOWN');
    }));

  it('leaves the time of a manifest that is pushed again, or moves it by that switch', () =>
    withAcr(startAcr, async (acr, client) => {
      const body = imageDocument(acr.world);
      await put(client, 'a', body);
      const time = () => acr.world.manifest('app', digestOf(body))?.lastUpdateTime ?? 0;
      const before = time();
      acr.clock.advance(1000);
      await put(client, 'b', body);
      assert.equal(time(), before);
      acr.behaviour.repushMovesTime = true;
      await put(client, 'c', body);
      assert.ok(time() > before);
    }));
});
